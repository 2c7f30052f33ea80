// Credentials are found where AWS's tools find them, follow their files, and what is missing is
// told by name and without a secret.
#include "s3/credentials/chain.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "base/errors.h"
#include "s3/credentials/profile_file.h"
#include "s3/credentials/shared_files.h"
#include "testing/fakes.h"

namespace stepstore::s3 {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class CredentialsTest : public ::testing::Test {
 protected:
  CredentialsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "stepstore-XXXXXX").string();
    home = ::mkdtemp(pattern.data());
    std::filesystem::create_directory(home / ".aws");
    variables["HOME"] = home.string();
  }
  ~CredentialsTest() override { std::filesystem::remove_all(home); }

  Lookup lookup() {
    return [this](std::string_view name) -> std::optional<std::string> {
      const auto found = variables.find(std::string(name));
      if (found == variables.end()) return std::nullopt;
      return found->second;
    };
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(home / name) << text;
  }
  // Of a store that is not AWS's: nobody asks the machine.
  std::shared_ptr<CredentialsSource> source(const std::string& profile = {}) {
    return default_credentials(
        {.lookup = lookup(), .clock = clock, .random = random, .on_aws = false}, profile);
  }
  std::shared_ptr<const Credentials> find(const std::string& profile = {}) {
    return source(profile)->current({});
  }
  // The text of the Unauthenticated error that looking for credentials gives.
  std::string refused(const std::string& profile = {}) {
    try {
      (void)find(profile);
    } catch (const Unauthenticated& missing) {
      EXPECT_THAT(missing.what(), Not(HasSubstr("hush-hush")));
      return missing.what();
    }
    return "(no error)";
  }

  std::filesystem::path home;
  std::map<std::string, std::string> variables;
  SetClock clock;
  SeededRandom random{20'261'128};
};

TEST_F(CredentialsTest, FixedOnesAreGivenAsTheyAre) {
  const auto source = fixed_credentials(
      {.access_key = "A", .secret_key = "S", .session_token = "T", .source = "the caller"});
  EXPECT_EQ(source->current({})->session_token, "T");
  EXPECT_FALSE(source->refresh(*source->current({})));
  EXPECT_EQ(source->describe(), "the caller");
  EXPECT_THROW((void)fixed_credentials({.access_key = "A"})->current({}), Unauthenticated);
}

TEST_F(CredentialsTest, VariablesComeFirst) {
  variables["AWS_ACCESS_KEY_ID"] = "A";
  variables["AWS_SECRET_ACCESS_KEY"] = "S";
  write(".aws/credentials", "[default]\naws_access_key_id=F\naws_secret_access_key=hush-hush\n");
  EXPECT_EQ(find()->access_key, "A");
  EXPECT_EQ(find()->session_token, "");
  EXPECT_EQ(find()->source, "environment");
  variables["AWS_SESSION_TOKEN"] = "T";
  EXPECT_EQ(find()->session_token, "T");
  EXPECT_EQ(find("default")->access_key, "F") << "a profile that was named comes before them";
}

TEST_F(CredentialsTest, HalfOfTheVariablesIsAnError) {
  variables["AWS_ACCESS_KEY_ID"] = "A";
  EXPECT_THAT(refused(), HasSubstr("AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not"));
  variables["AWS_SECRET_ACCESS_KEY"] = "hush-hush";
  variables["AWS_ACCESS_KEY_ID"] = "";  // as not set
  EXPECT_THAT(refused(), HasSubstr("AWS_SECRET_ACCESS_KEY is set, AWS_ACCESS_KEY_ID is not"));
}

TEST_F(CredentialsTest, ReadsProfilesOfBothFiles) {
  write(".aws/credentials",
        "\xEF\xBB\xBF# comment\r\n[default]\r\n aws_access_key_id = D \r\n"
        "aws_secret_access_key=a/b+c#d;e\r\n\r\n"
        "[ work ]  ; comment\nAWS_ACCESS_KEY_ID=W\naws_secret_access_key = S # comment\n"
        "aws_session_token = T==\n");
  write(".aws/config",
        "[profile work]\nregion = eu-west-1\naws_access_key_id = not this\n"
        "aws_secret_access_key = nor this\n"
        "[profile only-config]\naws_access_key_id = C\naws_secret_access_key = S\n"
        "[profile \"two words\"]\naws_access_key_id = Q\naws_secret_access_key = S\n"
        "[sso-session work]\naws_access_key_id = X\n[other]\naws_access_key_id = X\n");
  EXPECT_EQ(find()->access_key, "D");
  EXPECT_EQ(find()->secret_key, "a/b+c#d;e") << "a comment begins only after a blank";
  EXPECT_EQ(find("work")->access_key, "W");
  EXPECT_EQ(find("work")->secret_key, "S");
  EXPECT_EQ(find("work")->session_token, "T==");
  EXPECT_EQ(find("work")->source, "profile work");
  EXPECT_EQ(find("only-config")->access_key, "C");
  EXPECT_EQ(find("two words")->access_key, "Q");
  EXPECT_THAT(refused("other"), HasSubstr("profile 'other' does not exist")) << "not of config";
  variables["AWS_PROFILE"] = "work";
  EXPECT_EQ(find()->access_key, "W");
}

TEST_F(CredentialsTest, FilesMayLieElsewhere) {
  write("mine", "[default]\naws_access_key_id=M\naws_secret_access_key=S\n");
  variables["AWS_SHARED_CREDENTIALS_FILE"] = "~/mine";
  EXPECT_EQ(find()->access_key, "M");
  write("settings", "[profile p]\nregion=eu-north-1\n");
  variables["AWS_CONFIG_FILE"] = (home / "settings").string();
  EXPECT_EQ(profile_value(lookup(), "p", "region"), "eu-north-1");
}

TEST_F(CredentialsTest, ReadsValuesAndBlocksOfAProfile) {
  write(".aws/config",
        "[default]\nregion = us-west-2\ns3 =\n  addressing_style = path\n  x = y\noutput = json\n"
        "[profile p]\n  region = eu-west-1\n  endpoint_url = http://localhost:9000\n");
  EXPECT_EQ(profile_value(lookup(), "", "region"), "us-west-2");
  EXPECT_EQ(profile_value(lookup(), "", "s3.addressing_style"), "path");
  EXPECT_EQ(profile_value(lookup(), "", "output"), "json");
  EXPECT_EQ(profile_value(lookup(), "", "s3"), std::nullopt);
  EXPECT_EQ(profile_value(lookup(), "p", "region"), "eu-west-1") << "indented, but of no block";
  EXPECT_EQ(profile_value(lookup(), "p", "endpoint_url"), "http://localhost:9000");
  EXPECT_EQ(profile_value(lookup(), "none", "region"), std::nullopt);
}

// As the documentation of AWS orders them.
TEST_F(CredentialsTest, ReadsWhereServicesAre) {
  const auto url = [this](const std::string& profile, const std::string& service = "s3") {
    return profile_endpoint(lookup(), profile, service).value_or("");
  };
  write(".aws/config",
        "[profile a]\nservices = mine\nendpoint_url = https://all\n"
        "[services mine]\ns3 =\n  endpoint_url = https://s3 # ours\n  x = y\n"
        "dynamodb =\n  endpoint_url = https://other\n"
        "[services theirs]\ns3 =\n  endpoint_url = https://theirs\n"
        "[profile nested]\ns3 =\n  endpoint_url = https://nested\nendpoint_url = https://all\n"
        "[profile gone]\nservices = nobody\nendpoint_url = https://all\n"
        "[profile off]\nservices = mine\nignore_configured_endpoint_urls = true\n"
        "[profile none]\nregion = x\n");
  EXPECT_EQ(url("a"), "https://s3");
  EXPECT_EQ(url("a", "sts"), "https://all") << "the section does not name it";
  EXPECT_EQ(url("nested"), "https://nested");
  EXPECT_EQ(url("gone"), "https://all");
  EXPECT_EQ(url("off"), "");
  EXPECT_EQ(url("none"), "");
  EXPECT_EQ(url("nobody"), "");
  EXPECT_THAT(refused("services mine"), HasSubstr("does not exist")) << "it is no profile";
  write(".aws/config", "[profile a]\nservices = mine\n");
  write(".aws/credentials", "[services mine]\ns3 =\n  endpoint_url = https://s3\n");
  EXPECT_EQ(url("a"), "") << "such sections belong into the file for settings";
}

TEST_F(CredentialsTest, FollowsItsFiles) {
  write(".aws/credentials", "[default]\naws_access_key_id=ONE\naws_secret_access_key=S\n");
  const auto source = this->source();
  const auto first = source->current({});
  EXPECT_EQ(first->access_key, "ONE");
  EXPECT_EQ(source->current({}), first) << "the same object while nothing has changed";
  EXPECT_FALSE(source->refresh(*first));
  write(".aws/credentials", "[default]\naws_access_key_id=SECOND\naws_secret_access_key=S\n");
  EXPECT_EQ(source->current({})->access_key, "SECOND") << "another size";
  EXPECT_TRUE(source->refresh(*first));
  EXPECT_FALSE(source->refresh(*source->current({})));
  std::filesystem::remove(home / ".aws/credentials");
  EXPECT_THROW((void)source->current({}), Unauthenticated);
}

// The same size at the same time: only a refusal tells.
TEST_F(CredentialsTest, ReadsAgainWhenRefused) {
  const auto path = home / ".aws/credentials";
  write(".aws/credentials", "[default]\naws_access_key_id=ONE\naws_secret_access_key=S\n");
  const auto time = std::filesystem::last_write_time(path);
  const auto source = this->source();
  const auto first = source->current({});
  write(".aws/credentials", "[default]\naws_access_key_id=TWO\naws_secret_access_key=S\n");
  std::filesystem::last_write_time(path, time);
  EXPECT_EQ(source->current({})->access_key, "ONE");
  EXPECT_TRUE(source->refresh(*first));
  EXPECT_EQ(source->current({})->access_key, "TWO");
}

TEST_F(CredentialsTest, SaysWhatIsMissingWhere) {
  const std::string files =
      home.string() + "/.aws/credentials or " + home.string() + "/.aws/config";
  EXPECT_THAT(refused(), AllOf(HasSubstr("AWS_ACCESS_KEY_ID is not set"),
                               HasSubstr("profile 'default' does not exist in " + files)));
  EXPECT_THAT(refused("work"), AllOf(HasSubstr("profile 'work' does not exist in " + files),
                                     Not(HasSubstr("AWS_ACCESS_KEY_ID is not set"))));
  write(".aws/config", "[default]\nregion=x\n");
  EXPECT_THAT(refused(), HasSubstr("profile 'default' has no aws_access_key_id in " + files));
  write(".aws/credentials", "[default]\naws_secret_access_key=hush-hush\n");
  EXPECT_THAT(refused(), HasSubstr("profile 'default' in " + home.string() +
                                   "/.aws/credentials has no aws_access_key_id"));
  write(".aws/credentials", "[default]\naws_access_key_id=A\n");
  EXPECT_THAT(refused(), HasSubstr("has no aws_secret_access_key"));
  variables.erase("HOME");
  EXPECT_THAT(refused(), HasSubstr("HOME is not set"));
}

TEST_F(CredentialsTest, SaysWhichWaysItCannotGo) {
  for (const char* const way : {"sso_session", "sso_account_id", "login_session"}) {
    write(".aws/config", std::string("[profile p]\n") + way + " = hush-hush\n");
    EXPECT_THAT(
        refused("p"),
        AllOf(HasSubstr(std::string("by ") + way + ", which stepstore cannot follow"),
              HasSubstr("aws configure export-credentials"), HasSubstr("credential_process"),
              HasSubstr("credentials= in Python, which botocore can give")));
  }
}

TEST_F(CredentialsTest, AFileThatCannotBeReadIsAnError) {
  std::filesystem::create_directory(home / ".aws/credentials");
  EXPECT_THROW((void)find(), ConfigError) << "a directory";
  std::filesystem::remove(home / ".aws/credentials");
  write(".aws/credentials", std::string((1U << 20) + 1, '#'));
  EXPECT_THROW((void)find(), ConfigError) << "too large";
}

// How people switch the files off.
TEST_F(CredentialsTest, DevNullIsAnEmptyFile) {
  variables["AWS_SHARED_CREDENTIALS_FILE"] = "/dev/null";
  variables["AWS_CONFIG_FILE"] = "/dev/null";
  EXPECT_THAT(refused(), HasSubstr("profile 'default' does not exist in /dev/null or /dev/null"));
  EXPECT_EQ(profile_value(lookup(), "", "region"), std::nullopt);
}

TEST_F(CredentialsTest, DescribesItselfWithoutASecret) {
  EXPECT_EQ(source("work")->describe(), "profile work");
  variables["AWS_ACCESS_KEY_ID"] = "A";
  variables["AWS_SECRET_ACCESS_KEY"] = "hush-hush";
  EXPECT_EQ(source()->describe(), "environment");
}

TEST(ProfileFile, PassesOverWhatItDoesNotKnow) {
  const Profiles profiles = parse_profiles(
      "x = before any section\n[open\n[a]\nnonsense\n= 1\nk = v\nk = w\n[]\n[a]\nl=1",
      ProfileFileKind::credentials);
  EXPECT_EQ(profiles.at("a").at("k"), "w") << "the last one counts";
  EXPECT_EQ(profiles.at("a").at("l"), "1") << "a section may come twice";
  EXPECT_FALSE(profiles.at("a").contains("x"));
  EXPECT_TRUE(parse_profiles("", ProfileFileKind::config).empty());
}

}  // namespace
}  // namespace stepstore::s3
