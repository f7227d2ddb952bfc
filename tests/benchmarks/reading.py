"""How long it takes to read the event files of many runs: MENTOR's reader beside TensorBoard's data server.

    python -m tests.benchmarks.reading [--runs 300] [--tags 12] [--points 1000] [--loader 2]

MENTOR's reader has a process of its own on one core, timed from its start, imports and all, until every point of every
run has been read, all checksums checked. TensorBoard's server, written in Rust, may use all cores; it is timed from its
start until it says that it has loaded all runs, without sampling and as it is by default, without checksums; then with
them, and until a client in Python has got all points over gRPC. They take turns, on files that were just written.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import psutil

from tests.benchmarks.event_data import write_runs
from tests.benchmarks.stage import folder
from tests.benchmarks.tables import say, say_table, say_where, verdict

OURS = """
import sys
from pathlib import Path
from sessions.metrics.runs import batches
from sessions.metrics.events import event_files
found = 0
for place in sorted(Path(sys.argv[1]).iterdir()):
    for _, batch in batches(event_files(place / "Ball")):
        assert not batch.skipped
        found += sum(len(points) for points in batch.points.values())
print(found)
"""
LOADER = """
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
found = 0
for place in sys.argv[1:]:
    read = EventAccumulator(place, size_guidance={"scalars": 0}).Reload()
    found += sum(len(read.Scalars(tag)) for tag in read.Tags()["scalars"])
print(found)
"""


def ours(place: Path) -> tuple[float, int]:
    """Return the seconds that MENTOR's reader takes on one core, and how many points it found."""
    return _timed(OURS, [str(place)])


def loader(places: list[Path]) -> tuple[float, int]:
    """Return the seconds that TensorBoard's loader in Python takes for some runs, and how many points it found."""
    return _timed(LOADER, [str(place / "Ball") for place in places])


def _timed(program: str, arguments: list[str]) -> tuple[float, int]:
    begun = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, text=True)
    with process:
        this = psutil.Process(process.pid)
        if hasattr(this, "cpu_affinity"):
            this.cpu_affinity(this.cpu_affinity()[-1:])
        out, _ = process.communicate()
    seconds = time.perf_counter() - begun
    if process.returncode:
        raise SystemExit(f"It ended with {process.returncode}.")
    return seconds, int(out)


def server(place: Path, *, checksum: bool = False) -> tuple[float, float, int]:
    """Return the seconds until TensorBoard's server has loaded and until all is read of it, and how many points."""
    import tensorboard_data_server

    with folder() as aside:
        port_file = aside / "port"
        command = [tensorboard_data_server.server_binary(), f"--logdir={place}", "--reload=once", "--port=0", "-v"]
        command += [f"--port-file={port_file}", "--samples-per-plugin=scalars=all"]
        begun = time.perf_counter()
        with subprocess.Popen(
            [*command, "--checksum" if checksum else "--no-checksum"], stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                # Asking it over and over would cost it time; it says itself when it is done.
                assert process.stderr is not None
                if not any("Finished load cycle" in line for line in process.stderr):
                    raise SystemExit("TensorBoard's server ended before it had loaded anything.")
                loaded = time.perf_counter() - begun
                points = _read_of(int(port_file.read_text(encoding="utf-8")))
                return loaded, time.perf_counter() - begun, points
            finally:
                process.kill()


def _read_of(port: int) -> int:
    """Read all points, a run at a time; return how many there are."""
    import grpc
    from tensorboard.data.grpc_provider import make_stub
    from tensorboard.data.proto import data_provider_pb2 as shapes

    stub = make_stub(grpc.insecure_channel(f"localhost:{port}", [("grpc.max_receive_message_length", -1)]))
    scalars = shapes.PluginFilter(plugin_name="scalars")
    runs = stub.ListRuns(shapes.ListRunsRequest()).runs
    found = 0
    for run in runs:
        one = shapes.RunTagFilter(runs=shapes.RunFilter(names=[run.name]))
        request = shapes.ReadScalarsRequest(plugin_filter=scalars, run_tag_filter=one)
        request.downsample.num_points = 1_000_000_000
        found += sum(len(tag.data.step) for of in stub.ReadScalars(request).runs for tag in of.tags)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--tags", type=int, default=12)
    parser.add_argument("--points", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--loader", type=int, default=2, help="runs for TensorBoard's loader in Python; 0 for none")
    options = parser.parse_args()
    say_where()
    total = options.runs * options.tags * options.points
    with folder() as place:
        size = write_runs(place, runs=options.runs, tag_count=options.tags, points=options.points)
        say(f"{options.runs} runs, {total:,} points, {size / 1e6:,.0f} MB\n")
        rows, ratios = [], []
        for number in range(options.rounds):
            seconds, found = ours(place)
            loaded, read, of_server = server(place)
            checked, _, _ = server(place, checksum=True)
            assert found == of_server == total, (found, of_server, total)
            ratios.append(loaded / seconds)
            rows.append([number + 1, *(f"{one:.2f}" for one in (seconds, loaded, checked, read, ratios[-1]))])
        head = ["round", "MENTOR, one core", "server loaded", "with checksums", "loaded and read", "loaded / MENTOR"]
        say_table(head, rows)
        say(f"median {median(ratios):.1f} times as fast as the server loads: {verdict(met=median(ratios) > 1)}")
        if options.loader:
            seconds, found = loader(sorted(place.iterdir())[: options.loader])
            say(f"TensorBoard's loader in Python: {seconds:.1f} s for {found:,} points ({found / seconds:,.0f}/s)")


if __name__ == "__main__":
    main()
