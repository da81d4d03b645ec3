"""libcurl's errors as reasons."""

from __future__ import annotations

import pycurl

from probes.http.message import Failure
from probes.http.phases import Clocks, unfinished
from probes.result import Reason

REASON_OF = {  # https://curl.se/libcurl/c/libcurl-errors.html
    pycurl.E_COULDNT_RESOLVE_HOST: Reason.DNS,
    pycurl.E_COULDNT_CONNECT: Reason.CONNECT,
    pycurl.E_INTERFACE_FAILED: Reason.SELF_NETWORK,
    pycurl.E_SEND_ERROR: Reason.CONNECT,
    pycurl.E_SEND_FAIL_REWIND: Reason.CONNECT,
    pycurl.E_RECV_ERROR: Reason.CONNECT,
    pycurl.E_SSL_CONNECT_ERROR: Reason.TLS,
    pycurl.E_PEER_FAILED_VERIFICATION: Reason.TLS,
    pycurl.E_SSL_CIPHER: Reason.TLS,
    pycurl.E_SSL_ISSUER_ERROR: Reason.TLS,
    pycurl.E_SSL_CRL_BADFILE: Reason.CONFIG,
    pycurl.E_SSL_CACERT_BADFILE: Reason.CONFIG,
    pycurl.E_SSL_CERTPROBLEM: Reason.CONFIG,
    pycurl.E_SSL_INVALIDCERTSTATUS: Reason.TLS,
    pycurl.E_OPERATION_TIMEDOUT: Reason.TIMEOUT,
    pycurl.E_URL_MALFORMAT: Reason.PROTOCOL,
    pycurl.E_UNSUPPORTED_PROTOCOL: Reason.PROTOCOL,
    pycurl.E_GOT_NOTHING: Reason.PROTOCOL,
    pycurl.E_PARTIAL_FILE: Reason.PROTOCOL,
    pycurl.E_FILESIZE_EXCEEDED: Reason.PROTOCOL,
    pycurl.E_BAD_CONTENT_ENCODING: Reason.PROTOCOL,
    pycurl.E_FTP_WEIRD_SERVER_REPLY: Reason.PROTOCOL,  # also "not HTTP" and bad headers
    pycurl.E_HTTP2: Reason.PROTOCOL,
    pycurl.E_WRITE_ERROR: Reason.PROTOCOL,
    pycurl.E_OUT_OF_MEMORY: Reason.OVERLOAD,
}

_PHASE_WORDS = {
    "dns": "resolving the name",
    "connect": "connecting",
    "tls": "the TLS handshake",
    "first_byte": "waiting for the first byte",
    "transfer": "receiving the body",
}


def failure_of(error: pycurl.error, clocks: Clocks) -> Failure:
    """Return the reason and a sentence for what libcurl reported."""
    code, said = error.args[0], str(error.args[1]) if len(error.args) > 1 else ""
    reason = REASON_OF.get(code, Reason.PROTOCOL)
    if code == pycurl.E_RECV_ERROR and clocks.answered:
        reason = Reason.PROTOCOL  # the answer had begun, so it is the answer that is broken
    if reason is Reason.TIMEOUT:
        phase = unfinished(clocks)
        seconds = clocks.total / 1e6
        return Failure(reason, f"no end after {seconds:.2f} s, while {_PHASE_WORDS[phase]}")
    return Failure(reason, said[:500] or f"libcurl error {code}")
