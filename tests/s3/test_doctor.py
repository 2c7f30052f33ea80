"""doctor where nothing can be tried at all: it says what to do, in one message, and asks nothing further."""


def test_a_wrong_secret(stepstore, strict, prefix):
    env = strict.keys | {"AWS_SECRET_ACCESS_KEY": "canary-secret"}
    result = stepstore("doctor", strict.uri(prefix), env=env, code=9)
    assert result.out == ""
    assert "Check the secret key" in result.err
    assert "canary-secret" not in result.err


def test_a_bucket_that_is_not_there(stepstore, s3, prefix):
    result = stepstore("doctor", "--json", s3.uri(prefix, bucket="no-such-bucket"), env=s3.keys, code=2)
    assert result.error()["code"] == "ConfigError"
    assert "bucket" in result.error()["message"]
