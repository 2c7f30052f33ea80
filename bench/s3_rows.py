"""Steps over S3: the library beside bare sockets (C++) and beside the four boto3 calls in a row (Python), by turns."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import server as s3_server
import stepstore

Rows = dict[str, list[float]]
STEP_FILES = ("observation.html", "screenshot.png", "action.json", "metadata.json")
DELAY_MS = 20


def use_any_credentials() -> None:
    """The server takes all of them."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}


def measure_cpp(program: Path, recording: Path, uri: str, rounds: int) -> Rows:
    done = subprocess.run([program, recording, uri, str(rounds)], stdout=subprocess.PIPE, text=True, check=True)
    return {row["row"]: row["values"] for row in map(json.loads, done.stdout.splitlines())}


class Boto3FourCalls:
    """What a hand-written class does: a call for each part, one after the other, with the client as it comes."""

    def __init__(self, endpoint: str) -> None:
        self._client = boto3.client("s3", endpoint_url=endpoint)

    def store(self, name: str, step: dict[str, Any]) -> None:
        bodies = (
            step["html_content"].encode(),
            step["screenshot_bytes"],
            json.dumps(step["action_data"]).encode(),
            json.dumps(step["metadata"]).encode(),
        )
        for file, body in zip(STEP_FILES, bodies, strict=True):
            self._client.put_object(Bucket=s3_server.BUCKET, Key=f"boto3/{name}/{file}", Body=body)

    def retrieve(self, name: str) -> tuple[str, bytes, Any]:
        html, screenshot, action, _ = (
            self._client.get_object(Bucket=s3_server.BUCKET, Key=f"boto3/{name}/{file}")["Body"].read()
            for file in STEP_FILES
        )
        return html.decode(), screenshot, json.loads(action)


def retrieve(store: stepstore.StorageManager, name: str) -> tuple[object, ...]:
    return tuple(store.retrieve_step_data("session", name))


def measure_python(steps: list[dict[str, Any]], server: s3_server.Server, rounds: int, prefix: str) -> Rows:
    """Microseconds of time and of CPU per step, a value for each."""
    rows: Rows = {}

    def one(name: str, work: Callable[[], object]) -> None:
        begun, used = time.perf_counter_ns(), time.process_time_ns()
        work()
        rows.setdefault(f"s3_cpu_{name}", []).append((time.process_time_ns() - used) / 1000)
        rows.setdefault(f"s3_time_{name}", []).append((time.perf_counter_ns() - begun) / 1000)

    boto = Boto3FourCalls(server.endpoint)
    with stepstore.StorageManager(server.uri(prefix)) as store:
        store.store_step_data("session", "first", **steps[0])  # probes the bucket
        boto.store("first", steps[0])
        for turn in range(rounds):
            for i, step in enumerate(steps):
                name = f"{turn}-{i}"
                one("python_store", partial(store.store_step_data, "session", name, **step))
                one("boto3_store", partial(boto.store, name, step))
                one("python_retrieve", partial(retrieve, store, name))
                one("boto3_retrieve", partial(boto.retrieve, name))
    return rows


def measure(programs: tuple[Path, Path], recording: Path, steps: list[dict[str, Any]], rounds: int) -> dict[int, Rows]:
    """By the server's delay in milliseconds. `programs`: stepstore_bench and the server."""
    use_any_credentials()
    bench, server_program = programs
    out: dict[int, Rows] = {}
    for delay_ms, turns in ((0, rounds), (DELAY_MS, max(1, rounds // 5))):
        with s3_server.server(server_program, delay_ms) as server:
            out[delay_ms] = measure_cpp(bench, recording, server.uri("cpp"), turns)
            out[delay_ms] |= measure_python(steps, server, turns, "python")
    return out
