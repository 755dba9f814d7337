"""A language host that prints programs like that of a current Pulumi, on top of the pinned one.

`pulumi import` calls the language host to print Python for the imported resources. The host of our
toolchain does not have that call yet. This one answers it, for resources with literal inputs, and
forwards all other calls. Like Pulumi's generator, it uses the package's schema, which it requests
from the engine.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
from pulumi.runtime.proto import language_pb2
from pulumi.runtime.proto.codegen import loader_pb2

SCHEMA = "/codegen.Loader/GetSchema"
PRINTS = "/pulumirpc.LanguageRuntime/GenerateProgram"
STREAMS = frozenset({"InstallDependencies", "RunPlugin", "RunPlugin2"})
RESOURCE = re.compile(
    r'^resource (?P<name>[\w-]+) "(?P<type>[^"]+)" \{\n(?P<body>.*?)^\}$', re.MULTILINE | re.DOTALL
)
INPUT = re.compile(r"^ *(?P<name>\w+) = *(?P<value>.+)$", re.MULTILINE)


def put_on_path(directory: Path, pinned: Path) -> None:
    """Write the host into a directory that comes first on PATH."""
    executable = directory / "pulumi-language-python"
    executable.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "{pinned}" "$@"\n')
    executable.chmod(0o755)


def python_of(source: str, schema: dict[str, Any]) -> str:
    """Return the program that declares the resources of a source."""
    package = schema["language"]["python"]["packageName"]
    modules = schema["language"]["python"]["moduleNameOverrides"]
    alias = schema["name"].replace("-", "_")
    lines = ["import pulumi", f"import {package} as {alias}", ""]
    for match in RESOURCE.finditer(source):
        described = schema["resources"][match["type"]]
        _, module, name = match["type"].split(":")
        path = ".".join(filter(None, [alias, modules.get(module, module), name]))
        body, _, options = match["body"].partition("options {")
        given = {one["name"]: json.loads(one["value"]) for one in INPUT.finditer(body)}
        logical = given.pop("__logicalName", match["name"])
        assert given.keys() <= described["inputProperties"].keys()
        chosen = [f"{one['name']}={json.loads(one['value'])!r}" for one in INPUT.finditer(options)]
        arguments = [
            json.dumps(logical),
            *(f"{key}={literal(value)}" for key, value in given.items()),
            *([f"opts = pulumi.ResourceOptions({', '.join(chosen)})"] if chosen else []),
        ]
        joined = ",\n    ".join(arguments)
        lines.append(f"{match['name'].replace('-', '_')} = {path}({joined})")
    return "\n".join([*lines, ""])


def literal(value: Any) -> str:
    """Return a value as Pulumi prints it."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def print_program(request: Any, _context: Any) -> Any:
    """Answer the engine's call."""
    with grpc.insecure_channel(request.loader_target) as channel:
        # The SDK's own stub for it imports a module that the SDK lacks.
        ask = channel.unary_unary(
            SCHEMA,
            loader_pb2.GetSchemaRequest.SerializeToString,
            loader_pb2.GetSchemaResponse.FromString,
        )
        answer = ask(loader_pb2.GetSchemaRequest(package="pulumi-python"))
    (source,) = request.source.values()
    printed = python_of(source, json.loads(answer.schema))
    return language_pb2.GenerateProgramResponse(source={"__main__.py": printed.encode()})


class PassedOn(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Forwards calls to the pinned host, as raw bytes."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel

    def service(self, details: Any) -> Any:
        """Return the handler of a method."""
        if details.method == PRINTS:
            return grpc.unary_unary_rpc_method_handler(
                print_program,
                language_pb2.GenerateProgramRequest.FromString,
                language_pb2.GenerateProgramResponse.SerializeToString,
            )

        def pass_on(request: bytes, context: Any) -> Any:
            try:
                if is_stream:
                    yield from self._channel.unary_stream(details.method)(request)
                else:
                    yield self._channel.unary_unary(details.method)(request)
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())

        is_stream = details.method.rpartition("/")[2] in STREAMS
        if is_stream:
            return grpc.unary_stream_rpc_method_handler(pass_on)
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: next(pass_on(request, context))
        )


def main(pinned: str, *arguments: str) -> None:
    """Run until the pinned host ends, because of the engine or a signal."""
    with subprocess.Popen([pinned, *arguments], stdout=subprocess.PIPE, text=True) as behind:
        assert behind.stdout is not None
        # This host ends when the pinned one has ended.
        signal.signal(signal.SIGINT, lambda number, _: behind.send_signal(number))
        port = int(behind.stdout.readline())
        server = grpc.server(ThreadPoolExecutor())
        server.add_generic_rpc_handlers((PassedOn(grpc.insecure_channel(f"127.0.0.1:{port}")),))
        print(server.add_insecure_port("127.0.0.1:0"), flush=True)  # noqa: T201
        server.start()
        threading.Thread(target=copy, args=(behind.stdout,), daemon=True).start()
        behind.wait()
        server.stop(None)


def copy(stream: Any) -> None:
    """Print the program's output."""
    for line in stream:
        sys.stdout.write(line)
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
