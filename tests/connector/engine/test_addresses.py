"""Which addresses may be reached, as tables: every special range with its edges, every known trap."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from connector.engine.addresses import Allowed, Destination, address_allowed, read_address
from connector.sdk.errors import DestinationNotAllowed, Fault, InvalidCall

NOTHING = Allowed()
F = "ffff:ffff:ffff:ffff"

REFUSED_IPV4 = [
    "0.0.0.0",  # noqa: S104, an address and no binding
    "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.100.100.200",
    "100.127.255.255", "127.0.0.0", "127.0.0.1", "127.255.255.255", "168.63.129.16", "169.254.0.0",
    "169.254.169.254", "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.9",
    "192.0.0.192", "192.0.0.255", "192.0.2.0", "192.0.2.255", "192.31.196.0", "192.31.196.255", "192.52.193.0",
    "192.52.193.255", "192.88.99.0", "192.88.99.1", "192.88.99.255", "192.168.0.0", "192.168.255.255",
    "192.175.48.0", "192.175.48.255", "198.18.0.0", "198.19.255.255", "198.51.100.0", "198.51.100.255",
    "203.0.113.0", "203.0.113.255", "224.0.0.0", "224.0.0.1", "239.255.255.255", "240.0.0.0", "255.255.255.254",
    "255.255.255.255",
]  # fmt: skip

PUBLIC_IPV4 = [
    "1.0.0.0", "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
    "126.255.255.255", "128.0.0.0", "168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0",
    "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.1.255", "192.0.3.0",
    "192.31.195.255", "192.31.197.0", "192.52.192.255", "192.52.194.0", "192.88.98.255", "192.88.100.0",
    "192.167.255.255", "192.169.0.0", "192.175.47.255", "192.175.49.0", "198.17.255.255", "198.20.0.0",
    "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255",
]  # fmt: skip

REFUSED_IPV6 = [
    "::", "::1", "::2", "::127.0.0.1", "::8.8.8.8", "::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8",
    "0:0:0:0:1:ffff:7f00:1", "64:ff9b::", "64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b::ffff:ffff",
    "64:ff9b:1::", "64:ff9b:1::a9fe:a9fe", f"64:ff9b:1:{F}:ffff", "100::", f"100::{F}", "100:0:0:1::",
    f"100:0:0:1:{F}", f"1fff:{F}:ffff:ffff:ffff", "2001::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:1::1",
    "2001:2::1", "2001:3::1", "2001:4:112::1", "2001:10::1", "2001:20::1", "2001:30::1",
    f"2001:1ff:{F}:ffff:ffff", "2001:db8::", f"2001:db8:{F}:ffff:ffff", "2002::", "2002:7f00:1::",
    "2002:808:808::1", f"2002:{F}:ffff:ffff:ffff", "2620:4f:8000::", f"2620:4f:8000:{F}:ffff", "3fff::",
    "3fff::1", f"3fff:fff:{F}:ffff:ffff", "4000::", "5f00::", "5f00::1", f"5f00:{F}:ffff:ffff:ffff", "fc00::",
    "fd00:ec2::254", f"fdff:{F}:ffff:ffff:ffff", "fe00::", "fe80::", "fe80::1", f"febf:{F}:ffff:ffff:ffff",
    "fec0::", "fec0::1", f"feff:{F}:ffff:ffff:ffff", "ff00::", "ff02::1", "ff0e::1", f"ffff:{F}:ffff:ffff:ffff",
    "::ffff:0.0.0.0", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "::ffff:100.100.100.200", "::ffff:168.63.129.16", "::ffff:255.255.255.255", "0:0:0:0:0:ffff:c0a8:1",
]  # fmt: skip

PUBLIC_IPV6 = [
    "2000::", f"2000:{F}:ffff:ffff:ffff", "2001:200::", f"2001:db7:{F}:ffff:ffff", "2001:db9::",
    f"2001:{F}:ffff:ffff:ffff", "2003::", "2001:4860:4860::8888", "2606:4700:4700::1111",
    f"2620:4f:7fff:{F}:ffff", "2620:4f:8001::", "2a00:1450:4001::1", f"3ffe:{F}:ffff:ffff:ffff", "3fff:1000::",
    f"3fff:{F}:ffff:ffff:ffff", "::ffff:8.8.8.8", "::ffff:0808:0808",
]  # fmt: skip

NO_ADDRESSES = [
    "", " ", "localhost", "example.com", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "08.8.8.8", "8.8.8",
    "8.8.8.8.", "8.8.8.8/32", " 8.8.8.8", "8.8.8.8\n", "127.0.0.1\0x", "\uff11\uff12\uff17.0.0.1", "①②⑦.0.0.1",
    "[2606:4700::1]",
    "2606:4700::1%eth0", "fe80::1%eth0", "::1%0", "2606:4700:::1", "2606:4700::12345", "::ffff:8.8.8.8.8",
]  # fmt: skip

MALFORMED = [
    # not a text, too long, not visible ASCII
    None, True, 7, b"https://example.com/", ["https://example.com/"],
    "", f"https://example.com/{'a' * 2029}",
    " https://example.com/", "https://example.com/ ", "https://exam ple.com/", "https://example.com/a b",
    "\thttps://example.com/", "https://exam\tple.com/", "https://exam\nple.com/", "https://exam\rple.com/",
    "https://example.com/\r\nHost: x", "https://example.com\0.test/", "https://127.0.0.1\0x/",
    "https://example.com/\x7f",
    "https://example.com/ü", "https://bücher.example/", "https://\uff11\uff12\uff17.0.0.1/", "https://①②⑦.0.0.1/",
    "https://127\u30020\u30020\u30021/", "https://127\uff0e0\uff0e0\uff0e1/", "https://example.com:\uff14\uff14\uff13/",
    "https://exa\u00admple.com/", "https://example.com/\u2028", "https://example。com/",
    # scheme
    "example.com", "//example.com/", "/path", "https:", "https:/example.com/", "https:example.com/",
    "https//example.com/",
    "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "data:text/plain,x", "javascript:alert(1)",
    "httpss://example.com/", "xhttps://example.com/", "https+unix://example.com/", "ws://example.com/", "https ://a.b/",
    # backslash, user, fragment
    "https:\\\\example.com\\", "https://example.com\\@127.0.0.1/", "https://example.com/\\",
    "https://127.0.0.1\\.example.com/",
    "https://user@example.com/", "https://user:secret@example.com/", "https://@example.com/", "https://:@example.com/",
    "https://example.com@127.0.0.1/", "https://example.com:443@127.0.0.1/", "https://a@b@example.com/",
    "https://example.com/#", "https://example.com/#a", "https://example.com#@127.0.0.1/", "https://#example.com/",
    # port
    "https://example.com:/", "https://example.com:", "https://example.com:0/", "https://example.com:00/",
    "https://example.com:0443/", "https://example.com:65536/", "https://example.com:99999/",
    "https://example.com:100000/",
    "https://example.com:4294967739/", "https://example.com:-1/", "https://example.com:+443/",
    "https://example.com:443a/",
    "https://example.com:0x1bb/", "https://example.com:4_43/", "https://example.com:*/", "https://example.com:443:443/",
    "https://example.com::443/", "https://[::1]:/", "https://[::1]:0/", "https://example.com:%34%34%33/",
    # host: empty, labels, length
    "https://", "https:///", "https:///example.com/", "https://:443/", "https://?x", "https://./", "https://../",
    "https://.example.com/", "https://example..com/", "https://example.com../", "https://-example.com/",
    "https://example-.com/", "https://example.-com/", "https://example.com-/", "https://under_score.example.com/",
    "https://_dmarc.example.com/", "https://exa%6dple.com/", "https://127.0.0.1%2f.example.com/",
    "https://example.com%00/",
    "https://exa*mple.com/", "https://exa,mple.com/", "https://exa;mple.com/", "https://exa!mple.com/",
    "https://$host/",
    "https://{host}/", "https://exa|mple.com/", "https://exa~mple.com/", "https://exa'mple.com/", "https://(a).com/",
    f"https://{'a' * 64}.com/", f"https://{'a.' * 126}ab/", f"https://{'a.' * 127}com/",
    # host: numbers that resolvers take for an IPv4 address
    "https://2130706433/", "https://0/", "https://127.1/", "https://127.0.1/", "https://0177.0.0.1/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/", "https://0X7F.1/", "https://0x/", "https://0x7f.1/", "https://017700000001/",
    "https://127.0.0.01/", "https://127.0.0.001/", "https://127.0.0.256/", "https://127.0.0.1.1/",
    "https://127.0.0.1./",
    "https://8.8.8.8./", "https://256.256.256.256/", "https://1.2.3/", "https://127.0.0.0x1/", "https://example.1/",
    "https://example.0x7f/", "https://example.0xyz/", "https://example.com.443/", "https://example.1./",
    # host: IPv6 that is none, with a zone, without brackets
    "https://::1/", "https://2606:4700::1111/", "https://[::1/", "https://::1]/", "https://[]/", "https://[:]/",
    "https://[::1]x/", "https://x[::1]/", "https://[[::1]]/", "https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/",
    "https://[::1%251]/", "https://[2606:4700::1111%25]/", "https://[127.0.0.1]/", "https://[example.com]/",
    "https://[2606:4700:::1]/", "https://[2606:4700::12345]/", "https://[::ffff:127.0.0.01]/",
    "https://[::ffff:127.1]/",
    "https://[1:2:3:4:5:6:7:8:9]/", "https://[v1.fe80::1]/", "https://[::1].example.com/", "https://[::g]/",
    # host: international names that are no A-labels
    "https://xn--.example/", "https://xn--a.example/", "https://xn--abc-.example/", "https://xn--99999999.example/",
    "https://xn---.example/",
    "https://xn--8g7ccp.example/", "https://xn--ph7cc.example/", "https://xn--qei.example/", "https://xn--strasse-.example/",
]  # fmt: skip

NOT_ALLOWED = [
    *(f"https://{ip}/" for ip in REFUSED_IPV4),
    *(f"https://[{ip}]/" for ip in REFUSED_IPV6),
    "http://example.com/", "http://example.com:443/", "http://8.8.8.8/", "HTTP://example.com/", "http://localhost/",
    "https://example.com:80/", "https://example.com:1/", "https://example.com:8443/", "https://example.com:65535/",
    "https://8.8.8.8:8443/", "https://[2606:4700::1111]:444/",
    "https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://localhost:443/", "https://a.localhost/",
    "https://printer.local/", "https://Printer.LOCAL./", "https://metadata.google.internal/",
    "https://host.docker.internal/",
    "https://local/", "https://internal/", "https://intranet/", "https://receiver/",
    "https://127.0.0.1?@example.com/", "https://127.0.0.1/@example.com",
]  # fmt: skip

ACCEPTED = [
    ("https://example.com", "example.com"),
    ("https://example.com/", "example.com"),
    ("https://example.com:443/", "example.com"),
    ("https://example.com?a=b", "example.com"),
    ("https://example.com/?", "example.com"),
    ("HTTPS://Example.COM/A", "example.com"),
    ("https://example.com./", "example.com"),
    ("https://example.com.:443/", "example.com"),
    ("https://hooks.example.com/a/b?c=%20d&e=f", "hooks.example.com"),
    ("https://example.com/user@host:80//x", "example.com"),
    ("https://example.com/?next=https://127.0.0.1/", "example.com"),
    ("https://a-b.c--d.example/", "a-b.c--d.example"),
    ("https://1.example/", "1.example"),
    ("https://127.0.0.1.example/", "127.0.0.1.example"),
    ("https://0x7f.example/", "0x7f.example"),
    ("https://localhost.example/", "localhost.example"),
    ("https://local.example/", "local.example"),
    ("https://a.b/", "a.b"),
    ("https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
    ("https://XN--BCHER-KVA.example/", "xn--bcher-kva.example"),
    ("https://xn--strae-oqa.example/", "xn--strae-oqa.example"),
    ("https://example.xn--p1ai/", "example.xn--p1ai"),
    (f"https://{'a' * 63}.com/", f"{'a' * 63}.com"),
    (f"https://{'a.' * 126}b/", f"{'a.' * 126}b"),
    (f"https://{'a.' * 126}b./", f"{'a.' * 126}b"),
    (f"https://example.com/{'a' * 2028}", "example.com"),
    ("https://8.8.8.8/", "8.8.8.8"),
    ("https://8.8.8.8:443", "8.8.8.8"),
    ("https://[2606:4700:4700::1111]/", "2606:4700:4700::1111"),
    ("https://[2606:4700:4700:0:0:0:0:1111]:443/", "2606:4700:4700::1111"),
    ("https://[2A00:1450::8.8.8.8]/", "2a00:1450::808:808"),
    ("https://[::ffff:8.8.8.8]/", "8.8.8.8"),
]


@pytest.mark.parametrize("ip", [*REFUSED_IPV4, *REFUSED_IPV6, *NO_ADDRESSES])
def test_a_special_or_unreadable_address_is_refused(ip: str) -> None:
    """SSRF-4: first and last of every special range, every embedding of IPv4, and whatever is not an address."""
    assert not address_allowed(ip, 443, NOTHING)


@pytest.mark.parametrize("ip", [*PUBLIC_IPV4, *PUBLIC_IPV6])
def test_a_public_address_is_allowed(ip: str) -> None:
    """SSRF-4: the addresses just outside the special ranges are public, also written as IPv4-mapped IPv6."""
    assert address_allowed(ip, 443, NOTHING)


@pytest.mark.parametrize("port", [0, 1, 22, 80, 442, 444, 8443, 65535])
def test_a_public_address_is_allowed_on_443_only(port: int) -> None:
    """SSRF-2: the rule for ports holds for the connection too."""
    assert not address_allowed("8.8.8.8", port, NOTHING)


@pytest.mark.parametrize("url", MALFORMED)
def test_a_malformed_address_is_an_invalid_call(url: object) -> None:
    """SSRF-2, SSRF-3: nothing outside the grammar is looked up, whatever other parsers make of it."""
    with pytest.raises(InvalidCall) as raised:
        read_address(url, NOTHING, "fields/url")

    assert [fault.at for fault in raised.value.faults] == ["fields/url"]


@pytest.mark.parametrize("url", NOT_ALLOWED)
def test_a_well_formed_address_that_nobody_allowed_is_refused(url: str) -> None:
    """SSRF-2, SSRF-3, SSRF-8: the refusal names the field, and says nothing about addresses and ports."""
    with pytest.raises(DestinationNotAllowed) as raised:
        read_address(url, NOTHING, "callback")

    why = "The destination is not allowed."
    assert (raised.value.detail, raised.value.faults) == (why, (Fault("callback", why),))


@pytest.mark.parametrize(("url", "host"), ACCEPTED)
def test_a_public_https_address_is_read(url: str, host: str) -> None:
    """SSRF-3: host in lower case without last dot or brackets; the URL is kept byte for byte."""
    assert read_address(url, NOTHING, "callback") == Destination("https", host, 443, url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (None, "The address must be text."),
        ("", "The address must be 1 to 2048 characters."),
        ("https://q.example/\n", "The address must be visible ASCII characters, without spaces and backslashes."),
        ("https://q.example/#q", "The address must not have a fragment."),
        ("ftp://q.example/", "The address must begin with https://."),
        ("https://q@q.example/", "The address must not have a user name or password."),
        ("https://q..example/", "The address must have a valid host name or IP address."),
        ("https://q.example:65536/", "The address must have a port from 1 to 65535, or none."),
    ],
)
def test_a_fault_says_what_is_wrong_without_the_value(url: object, why: str) -> None:
    """SSRF-2: the message is part of the interface, and repeats nothing of what was sent."""
    with pytest.raises(InvalidCall) as raised:
        read_address(url, NOTHING, "callback")

    assert raised.value.faults[0].why == why


@pytest.mark.parametrize(
    ("listed", "url"),
    [
        ("127.0.0.1:9000", "http://127.0.0.1:9000/hook"),
        ("127.0.0.1:9000", "https://127.0.0.1:9000/hook"),
        ("127.0.0.1:80", "http://127.0.0.1/"),
        ("127.0.0.1:443", "https://127.0.0.1/"),
        ("127.0.0.1:*", "http://127.0.0.1:1/"),
        ("127.0.0.1:9000", "http://[::ffff:127.0.0.1]:9000/"),
        ("[::ffff:127.0.0.1]:9000", "http://127.0.0.1:9000/"),
        ("10.0.0.0/8:8443", "https://10.255.255.255:8443/"),
        ("10.0.0.0/8:*", "http://10.0.0.0/"),
        ("[::1]:8080", "http://[::1]:8080/"),
        ("[::1]:8080", "http://[0:0:0:0:0:0:0:1]:8080/"),
        ("[fd00::/8]:443", "https://[fd12::1]/"),
        ("hooks.internal:443", "https://hooks.internal/"),
        ("hooks.internal:443", "https://HOOKS.internal.:443/"),
        ("Hooks.Internal.:443", "https://hooks.internal/"),
        ("localhost:9000", "http://localhost:9000/"),
        ("receiver:5678", "http://receiver:5678/"),
        ("example.com:80", "http://example.com/"),
        ("example.com:*", "https://example.com:8443/"),
        (" a.example:1 ,, b.example:2 , ", "http://b.example:2/"),
        ("169.254.169.254:80", "http://169.254.169.254/"),
        ("[fd00:ec2::254]:80", "http://[fd00:ec2::254]/"),
    ],
)
def test_what_the_operator_lists_is_allowed(listed: str, url: str) -> None:
    """SSRF-7: a listed host or address with its port may be called, over http as well."""
    assert read_address(url, Allowed.parse(listed), "callback").url == url


@pytest.mark.parametrize(
    ("listed", "url"),
    [
        ("", "https://127.0.0.1/"),
        ("127.0.0.1:9000", "https://127.0.0.1/"),
        ("127.0.0.1:9000", "http://127.0.0.1:9001/"),
        ("127.0.0.1:9000", "http://127.0.0.2:9000/"),
        ("127.0.0.1:9000", "http://localhost:9000/"),
        ("localhost:9000", "http://127.0.0.1:9000/"),
        ("127.0.0.1:9000", "http://[64:ff9b::7f00:1]:9000/"),
        ("10.0.0.0/8:8443", "https://11.0.0.0:8443/"),
        ("10.0.0.0/8:8443", "https://10.0.0.1/"),
        ("0.0.0.0/0:*", "http://[::1]/"),
        ("[::/0]:*", "http://127.0.0.1/"),
        ("hooks.internal:443", "http://hooks.internal/"),
        ("hooks.internal:443", "https://a.hooks.internal/"),
        ("hooks.internal:443", "https://hooks.internal.local/"),
        ("0.0.0.0/0:*", "http://169.254.169.254/"),
        ("169.254.169.254/32:80", "http://169.254.169.254/"),
        ("0.0.0.0/0:*", "http://[::ffff:169.254.169.254]/"),
        ("168.63.0.0/16:*", "https://168.63.129.16/"),
        ("100.64.0.0/10:443", "https://100.100.100.200/"),
        ("[fd00::/8]:*", "http://[fd00:ec2::254]/"),
        ("169.254.169.254:80", "http://169.254.169.254:8080/"),
    ],
)
def test_what_the_operator_does_not_list_stays_refused(listed: str, url: str) -> None:
    """SSRF-7: the list is exact, and a network does not include the metadata addresses."""
    with pytest.raises(DestinationNotAllowed):
        read_address(url, Allowed.parse(listed), "callback")


@pytest.mark.parametrize(
    "entry",
    [
        "127.0.0.1", "10.0.0.0/8", "hooks.internal", "hooks.internal:", ":443", ":", "hooks.internal:0",
        "a.b:65536", "a.b:-1",
        "a.b:https", "a.b:**", "*:443", "*.example.com:443", "127.1:80", "0x7f000001:80", "10.0.0.1/8:80",
        "10.0.0.0/33:80",
        "10.0.0.0/:80", "a.b/8:80", "::1:8080", "[::1]", "[::1:8080", "fd00::/8:443", "[fe80::1%eth0]:80",
        "under_score.b:80",
        "https://a.b:443", "a.b:443/path", "a b:443", "me@a.b:443",
    ],
)  # fmt: skip
def test_a_bad_entry_of_the_list_is_named(entry: str) -> None:
    """SSRF-7: a slip of the operator stops the start instead of allowing more or less than meant."""
    with pytest.raises(ValueError, match="is not a host, address or network with a port") as raised:
        Allowed.parse(f"127.0.0.1:9000,{entry}")

    assert str(raised.value).startswith(f"'{entry}'")


def test_an_address_is_named_only_by_itself() -> None:
    """SSRF-7: an entry for a network covers its addresses and names none."""
    allowed = Allowed.parse("127.0.0.1:9000,10.0.0.0/8:*")

    assert allowed.names("127.0.0.1", 9000)
    assert allowed.covers("127.0.0.1", 9000)
    assert allowed.covers("10.1.2.3", 1)
    assert not allowed.names("10.1.2.3", 1)
    assert not allowed.covers("hooks.internal", 9000)


AUTHORITIES = st.text("aA1x0fF.-_:[]@%~/?#\\ é。\uff11", max_size=24)
HOSTS = st.lists(st.from_regex(r"(xn--)?[a-zA-Z0-9-]{1,12}", fullmatch=True), min_size=1, max_size=4).map(".".join)
ADDRESSES = st.ip_addresses().map(lambda ip: f"[{ip}]" if ip.version == 6 else str(ip))
TAILS = st.sampled_from(["", ".", ":443", ":443/", ".:443?a", ":0", ":8443", "/a%20b?c=d@e", "/\x00", "#"])
URLS = st.tuples(st.sampled_from(["https://", "HTTPS://", "http://"]), AUTHORITIES | HOSTS | ADDRESSES, TAILS).map(
    "".join
)
EVERYTHING = Allowed.parse("0.0.0.0/0:*,[::/0]:*")


@settings(deadline=None)
@given(st.text() | URLS | st.none() | st.binary())
def test_every_text_is_refused_or_read(url: object) -> None:
    """SSRF-2: there is no third outcome, and what is read is in the grammar: reading its parts gives the same again."""
    try:
        found = read_address(url, EVERYTHING, "callback")
    except (InvalidCall, DestinationNotAllowed):
        return

    host = f"[{found.host}]" if ":" in found.host else found.host
    again = read_address(f"{found.scheme}://{host}:{found.port}", EVERYTHING, "callback")
    assert (again.host, again.port, found.url) == (found.host, found.port, url)


@settings(deadline=None)
@given(URLS)
def test_the_http_client_reads_the_same_destination(url: str) -> None:
    """SSRF-2: two parsers must not give two answers, so aiohttp's (yarl) agrees on everything that is let through."""
    try:
        found = read_address(url, EVERYTHING, "callback")
    except (InvalidCall, DestinationNotAllowed):
        return

    theirs = URL(url)
    assert (theirs.scheme, theirs.port) == (found.scheme, found.port)
    assert (theirs.raw_host or "").removesuffix(".") in (found.host, _mapped(found.host))


def _mapped(host: str) -> str:
    """How yarl writes an IPv4 address that was given as IPv6."""
    return str(URL(f"http://[::ffff:{host}]").raw_host) if host.replace(".", "").isdigit() else host
