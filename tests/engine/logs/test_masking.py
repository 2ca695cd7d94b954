"""No secret and no home folder in any log; and nothing masked that is only a word."""

from __future__ import annotations

import pytest

from engine.logs.masking import masked

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


@pytest.mark.parametrize(
    ("said", "secret"),
    [
        ("token=abcd1234efgh", "abcd1234"),
        ("Authorization: Bearer abcdef123456", "abcdef"),
        ("GET /x with Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("https://bob:hunter2@host/x", "hunter2"),
        ("postgresql://bob:p@ss@db/x", "ss@db"),
        ("https://:hunter2@host/x", "hunter2"),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "wJalr"),
        ("the key AKIAIOSFODNN7EXAMPLE is old", "IOSFODNN7"),
        ("the key ASIAIOSFODNN7EXAMPLE is old", "IOSFODNN7"),
        (f"sk-proj-{LETTERS}", LETTERS[:8]),
        (f"ghp_{LETTERS}", LETTERS[:8]),
        (f"github_pat_11{LETTERS}", LETTERS[:8]),
        (f"glpat-{LETTERS}", LETTERS[:8]),
        (f"xoxb-123456-{LETTERS}", LETTERS[:8]),
        (f"npm_{LETTERS}", LETTERS[:8]),
        (f"AIzaSy{LETTERS}", LETTERS[:8]),
        (f"SG.{LETTERS}.{LETTERS}", LETTERS[:8]),
        ("https://x.y/z?api_key=abc123&x=1", "abc123"),
        ("https://x.y/z?X-Amz-Signature=deadbeef&x=1", "deadbeef"),
        ("https://x.y/z?se=1&sig=abc%3D", "abc%3D"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----", "MIIEow"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEow cut off", "MIIEow"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefgh", "abcdefgh"),
        ("{'password': 'hun ter2', 'user': 'bob'}", "ter2"),
        ('{"client_secret": "xyz"}', "xyz"),
        ("mysql --password hunter2 -h db", "hunter2"),
        ("curl -u bob:hunter2 http://x", "hunter2"),
        ("Cookie: session=abcdef123456; id=7", "abcdef"),
    ],
)
def test_secrets_are_masked(said: str, secret: str) -> None:
    assert secret in said
    assert secret not in masked(said)
    assert "***" in masked(said)


def test_what_is_told_beside_a_secret_stays() -> None:
    assert masked("https://x.y/z?api_key=abc123&x=1") == "https://x.y/z?api_key=***&x=1"
    assert masked("https://bob:hunter2@host/x") == "https://bob:***@host/x"
    assert masked("mysql --password hunter2 -h db") == "mysql --password *** -h db"
    assert masked({"api_key": "abc", "deep": [{"note": "token=abc"}], "size": 3}) == {
        "api_key": "***",
        "deep": [{"note": "token=***"}],
        "size": 3,
    }


@pytest.mark.parametrize(
    "said",
    [
        "the token was lost",
        "KeyError: 'token'",
        "passwords do not match",
        "monkey=3",
        "skimage.transform.resize_local_mean",
        "skip_every_file_of_the_folder",
        "sk_learn_pipelines_of_ours",
        "basic validation failed",
        "task-based work on disk-cache-0123456789abcdef",
        "http://host:8080/path@2x.png",
        "/homework/x",
        "12:30:01 a@b.c",
        "no such file: 'a.jpg'",
    ],
)
def test_plain_words_stay(said: str) -> None:
    assert masked(said) == said


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("/home/ann/x.py", "~/x.py"),
        ("/Users/bo/y", "~/y"),
        ("/root/.ssh", "~/.ssh"),
        ("C:\\Users\\ann\\x", "~\\x"),
        ("file:///home/ann/z", "file://~/z"),
        ("/srv/people/cy/x and /srv/people/cyril", "~/x and /srv/people/cyril"),
    ],
)
def test_home_folders_are_a_tilde(said: str, shown: str) -> None:
    assert masked(said, "/srv/people/cy") == shown
