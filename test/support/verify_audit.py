#!/usr/bin/env python3
"""Verifies segments of the audit log by docs/reference/audit-format.md alone, with nothing but Python's own library.

usage: verify_audit.py KEY SEGMENT...    segments of one lane, oldest first; prints a line for each, exits 1 where one is wrong
"""
import base64
import hashlib
import json
import sys

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


# Ed25519 (RFC 8032 section 5.1), in extended coordinates.
def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar > 0:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result


def same(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def point_of(encoded):
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P != 0:
        x = x * SQRT_MINUS_ONE % P
    if y >= P or (x * x - xx) % P != 0:
        raise ValueError("no point of the curve")
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed(public, text, signature):
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    h = int.from_bytes(hashlib.sha512(r + public + text).digest(), "little") % L
    return s < L and same(multiply(s, BASE), add(point_of(r), multiply(h, point_of(public))))


def read_key(text):
    """NAME+ID+BASE64 (C2SP signed-note): the name, the id, the 32 bytes of the key."""
    name, key_id, encoded = text.strip().split("+", 2)
    data = base64.b64decode(encoded)
    if data[0] != 1 or len(data) != 33 or sha256(name.encode(), b"\n", data)[:4].hex() != key_id:
        raise ValueError("no key: " + text)
    return name, bytes.fromhex(key_id), data[1:]


def read_note(note, key):
    """The text of a note that the key has signed; None where it has not."""
    name, key_id, public = key
    text, _, signatures = note.rpartition("\n\n")
    for line in signatures.splitlines():
        dash, signer, encoded = line.split(" ")
        data = base64.b64decode(encoded)
        if signer == name and data[:4] == key_id and is_signed(public, (text + "\n").encode(), data[4:]):
            return text + "\n"
    return None


def root_of(leaves):
    """RFC 6962 section 2.1, level by level: what has no sibling goes up as it is."""
    while len(leaves) > 1:
        pairs = [sha256(b"\x01", leaves[i], leaves[i + 1]) for i in range(0, len(leaves) - 1, 2)]
        leaves = pairs + (leaves[-1:] if len(leaves) % 2 else [])
    return leaves[0] if leaves else sha256()


def verify(path, keys, before):
    """Verifies one segment; returns what the next one must continue. Raises ValueError with what is wrong."""
    last, header, leaves, seals, block = before["last"], None, [], {}, []
    data = open(path, "rb").read()
    lines = data.split(b"\n")
    torn = lines.pop()
    for number, line in enumerate(lines, 1):
        event = json.loads(line)
        if event["kind"] == "seal":
            last = sha256(last.encode(), b"\n", b"".join(each + b"\n" for each in block)).hex()
            if event["events"] != len(block) or event["hash"] != last:
                raise ValueError(f"line {number}: the seal does not fit")
            seals[len(leaves)], block = last, []
            continue
        if header is None:
            header = event
            if event["continues"] != before["last"] or event["previous"] != before["name"] or event["torn"] != before["torn"]:
                raise ValueError("it does not continue the segment before")
            if not any(event["key"] == key for key in keys):
                endorsed = any(read_note(event["endorsement"], read_key(key)) == f"sallyport audit key\n{event['key']}\n" for key in keys)
                if not endorsed:
                    raise ValueError("its key is not trusted")
                keys.append(event["key"])
        elif event["kind"] == "checkpoint":
            text = read_note(event["note"], read_key(header["key"]))
            origin, size, root, seal, _ = (text or "\n\n\n\n").splitlines()
            if origin != header["origin"] or seals.get(int(size or 0)) != seal[len("seal "):]:
                raise ValueError(f"line {number}: the checkpoint is not of this segment")
            if base64.b64decode(root) != root_of(leaves[: int(size)]):
                raise ValueError(f"line {number}: the events are not those that were signed")
        leaves.append(sha256(b"\x00", line))
        block.append(line)
    behind = b"".join(each + b"\n" for each in block) + torn
    if behind:
        last = sha256(last.encode(), b"\n", behind).hex()
    return {"last": last, "name": path.rsplit("/", 1)[-1], "torn": len(behind)}


def main(key, *paths):
    keys = [open(key).readline().strip()]
    state = {"last": "0" * 64, "name": None, "torn": 0}
    for path in paths:
        try:
            state = verify(path, keys, state)
        except (ValueError, KeyError) as problem:
            sys.exit(f"{path}: {problem}")
        print(f"{path}: ok" + (f", {state['torn']} bytes behind its last seal" if state["torn"] else ""))


main(*sys.argv[1:])
