"""Reads a trace with nothing but the standard library, as docs/file_format.md describes it, and prints
what it holds as one JSON document. The tests compare that with what was appended."""
import array
import json
import math
import sqlite3
import struct
import sys
import zlib


def numbers(code, blob):
    values = array.array(code)
    values.frombytes(blob)
    return [None if isinstance(v, float) and math.isnan(v) else v for v in values]


def halves(blob):
    return [None if math.isnan(v) else v for v in struct.unpack(f"<{len(blob) // 2}e", blob)]


def require(condition, what):
    if not condition:
        raise SystemExit(what)


def require_crc(crc, *blobs):
    value = 0
    for blob in blobs:
        value = zlib.crc32(blob or b"", value)
    require(value == crc, "a checksum does not match")


def expert_ids(blob, experts):
    values = numbers("B" if experts <= 255 else "H", blob)
    empty = 255 if experts <= 255 else 65535
    return [-1 if v == empty else v for v in values]


def read_tokens(database, run):
    rows = []
    for block, count, *blobs, crc in database.execute(
            "SELECT block, count, ids, sequences, positions, phases, log_probs, entropies, alternative_ids,"
            " alternative_log_probs, crc FROM token_block WHERE run = ? ORDER BY block", (run,)):
        require_crc(crc, *blobs)
        require(block * 256 == len(rows) and 1 <= count <= 256, "token blocks leave the grid")
        columns = [numbers(code, blob) for code, blob in zip("iiiBffif", blobs)]
        require(all(len(column) == count for column in columns[:6]), "a column is too short")
        require(all(len(column) == 5 * count for column in columns[6:]), "the alternatives are too short")
        for i in range(count):
            rows.append([column[i] for column in columns[:6]] +
                        [columns[6][5 * i:5 * i + 5], columns[7][5 * i:5 * i + 5]])
    return rows


def read_routes(database, run, router, experts, top_k, capture):
    rows = []
    for block, count, width, ids, weights, native, dropped, crc in database.execute(
            "SELECT block, count, width, ids, weights, native_ids, dropped_native_mass, crc FROM route_block"
            " WHERE run = ? AND router = ? ORDER BY block", (run, router)):
        require_crc(crc, ids, weights, native, dropped)
        require(block * 256 == len(rows), "route blocks leave the grid")
        chosen = expert_ids(ids, experts)
        require(len(chosen) == count * width, "ids have a wrong length")
        gates = None if weights is None else numbers("f", weights) if capture == "full" else halves(weights)
        for i in range(count):
            at = slice(i * width, (i + 1) * width)
            row = {"ids": chosen[at]}
            if gates is not None:
                row["weights"] = gates[at]
            if native is not None:
                row["native"] = expert_ids(native, experts)[i * top_k:(i + 1) * top_k]
                row["dropped"] = numbers("f", dropped)[i]
            rows.append(row)
    return rows


def read_logits(database, run, router, experts):
    rows = []
    for count, blob, crc in database.execute(
            "SELECT count, logits, crc FROM logit_block WHERE run = ? AND router = ? ORDER BY block", (run, router)):
        require_crc(crc, blob)
        values = halves(blob)
        require(len(values) == count * experts, "logits have a wrong length")
        rows += [values[i * experts:(i + 1) * experts] for i in range(count)]
    return rows


def read_summaries(database, run, router):
    nodes = []
    for level, block, count, tokens, slots, load, mass, entropy, crc in database.execute(
            "SELECT level, block, count, tokens, slots, load, gate_mass, entropy_sum, crc FROM summary"
            " WHERE run = ? AND router = ? ORDER BY level, block", (run, router)):
        require_crc(crc, load, mass)
        nodes.append({"level": level, "block": block, "count": count, "tokens": tokens, "slots": slots,
                      "load": numbers("I", load), "gate_mass": numbers("d", mass), "entropy_sum": entropy})
    return nodes


def read_stats(database, run, router):
    sums = []
    for sequence, tokens, counts, mass, logits, probabilities, lse, entropy, crc in database.execute(
            "SELECT sequence, tokens, counts, gate_mass, logit_sum, probability_sum, log_sum_exp_sum, entropy_sum, crc"
            " FROM sequence_stats WHERE run = ? AND router = ? ORDER BY sequence", (run, router)):
        require_crc(crc, counts, mass, logits, probabilities)
        sums.append({"sequence": sequence, "tokens": tokens, "counts": numbers("I", counts),
                     "gate_mass": numbers("d", mass), "logit_sum": numbers("d", logits),
                     "probability_sum": numbers("d", probabilities), "log_sum_exp_sum": lse, "entropy_sum": entropy})
    return sums


def main():
    require(sys.byteorder == "little", "BLOBs are little-endian")
    database = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
    pragmas = {name: database.execute(f"PRAGMA {name}").fetchone()[0]
               for name in ("application_id", "user_version", "page_size", "journal_mode", "integrity_check")}
    tables = dict(database.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"))
    runs = []
    for run, model, capture, status in database.execute("SELECT id, model, capture, status FROM run").fetchall():
        routers = []
        for router, layer, experts, top_k in database.execute(
                "SELECT router, layer, experts, top_k FROM router WHERE model = ? ORDER BY router", (model,)).fetchall():
            routers.append({"layer": layer, "experts": experts,
                            "rows": read_routes(database, run, router, experts, top_k, capture),
                            "logits": read_logits(database, run, router, experts),
                            "summaries": read_summaries(database, run, router),
                            "stats": read_stats(database, run, router)})
        runs.append({"id": run, "capture": capture, "status": status, "tokens": read_tokens(database, run),
                     "routers": routers})
    words = {token: data.hex() for token, data in database.execute("SELECT token, bytes FROM vocabulary")}
    json.dump({"pragmas": pragmas, "tables": tables, "runs": runs, "vocabulary": words}, sys.stdout)


main()
