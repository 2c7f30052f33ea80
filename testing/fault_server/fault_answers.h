// What the catalogue's faults are made of: answers that break off, lie, or lead elsewhere.
#pragma once

#include "testing/fault_server/faults.h"

namespace stepstore::fault {

// An answer in place of the right one, with what the settings add.
Fault answered(const FaultSettings& settings, http::Response response);
// An error in XML, in the settings' words where they have some.
Fault failed(const FaultSettings& settings, int status, std::string_view code,
             std::string_view message);
// Done; the answer is changed.
Fault changed(std::function<void(const Call&, http::Reply&)> change);

// Delivery of the right answer.
Fault broken_off(const FaultSettings& settings, http::Delivery delivery, Fate fate);
Fault dripping(const FaultSettings& settings);
Fault after_spaces(const FaultSettings& settings);        // the right answer
Fault error_after_spaces(const FaultSettings& settings);  // another one
// Of the request only the beginning is read.
Fault cut_request(const FaultSettings& settings, http::Delivery delivery);
Fault answered_early(const FaultSettings& settings);

// Headers and bodies that are not true.
void set_header(http::Headers& headers, std::string_view name, std::string value);
void drop_header(http::Headers& headers, std::string_view name);
Fault wrong_content_range();
Fault whole_for_range();
Fault short_body();
Fault wrong_checksum();
Fault flipped_bit(const FaultSettings& settings);
Fault wrong_etag();
Fault no_etag();
Fault same_page();
Fault endless_list();

// Other places, other times.
Fault moved(const FaultSettings& settings);
Fault redirect(const FaultSettings& settings, std::string_view to);  // empty: to the same URL
Fault wrong_region(const FaultSettings& settings);
Fault clock_skew(const FaultSettings& settings);

// Writes that others get between.
Fault raced(const FaultSettings& settings);
Fault no_conditions();
Fault failing_keys(const FaultSettings& settings, std::string_view code);

Fault huge_head(const FaultSettings& settings);

}  // namespace stepstore::fault
