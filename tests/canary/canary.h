// The secret of a run: what tests use wherever a secret may be anything, and what nothing that is
// printed or logged may hold.
#pragma once

#include <string>

namespace stepstore {

// $STEPSTORE_TEST_CANARY, which `./dev test` makes anew for each run and looks for afterwards
// (tests/canary/canary.py); without it always the same one. Notes in $STEPSTORE_TEST_TRACE that
// this test has used it.
std::string canary();

}  // namespace stepstore
