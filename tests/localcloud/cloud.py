"""The local cloud: AWS enough for Picket, in one process on loopback.

ministack answers most services and runs functions as plain processes; moto answers EC2, Auto Scaling and load
balancing; the modules beside this file correct both and add CloudTrail. This file starts and ends it:

    python tests/localcloud/cloud.py [--port 4566]      port 0 picks a free one

It prints one line when it is ready, `ready http://127.0.0.1:PORT`, and ends on SIGINT or SIGTERM, with every function
process. `run.py` starts it for a command and deploys into it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import logging
import os
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path

import environment

BUSY = 2


def listen(port: int) -> socket.socket:
    """The listening socket; leaves with one sentence when the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((environment.HOST, port))
        listener.listen(512)
    except OSError as error:
        sys.stderr.write(f"Port {port} of {environment.HOST} cannot be used: {error.strerror}. Choose another, or 0.\n")
        raise SystemExit(BUSY) from None
    return listener


def assemble() -> object:
    """Put the parts together; returns the ASGI application."""
    import autoscaling
    import ec2
    import eks
    import gateway
    import lookup
    import ministack_answers
    import ministack_internals as ministack
    import moto_fixes
    import moto_scaling
    import remembered
    import run_command
    import systems_documents
    import systems_inventory
    import trail

    remembered.install()
    moto_fixes.install()
    moto_scaling.install()
    ministack_answers.install()
    ministack.authorize_ourselves()
    ministack.authorize_batches_as_single_calls()
    ministack.buses_reach_other_places()
    ministack.calls_count_as_tls()
    ministack.errors_of_route_53_are_enveloped()
    ministack.keep_bus_policies()
    ministack.keep_ssm_documents(systems_documents.keep, systems_documents.forget)
    ministack.know_leading_keys()
    ministack.know_conditional_writes()
    ministack.know_iam_resources()
    ministack.know_members_of_organizations()
    ministack.policies_are_attached_and_deleted_as_in_aws()
    ministack.poll_queues_quickly()
    ministack.queues_need_a_policy_for_events()
    ministack.replace_service("ec2", ec2.Service())
    ministack.replace_service("autoscaling", autoscaling.Service("autoscaling"))
    ministack.replace_service("alb", autoscaling.Service("elasticloadbalancing"))
    ministack.add_service("guardduty", autoscaling.Service("guardduty"))
    ministack.add_service("securityhub", autoscaling.Service("securityhub"))
    ministack.wrap_handler(ministack.eks_module, eks.wrapper)
    ministack.wrap_handler(ministack.cloudtrail_module, lookup.wrapper)
    ministack.wrap_handler(ministack.ssm_module, systems_inventory.wrapper)
    ministack.wrap_handler(ministack.ssm_module, run_command.wrapper)
    ministack.wrap_dispatch(gateway.wrapper)
    trail.start()
    return gateway.app


def warm() -> None:
    """Load what the first EC2 call would otherwise wait for."""
    import moto_bridge

    moto_bridge.ec2("DescribeVpcs")


async def serve(application: object, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM."""
    from hypercorn.asyncio import serve as hypercorn
    from hypercorn.config import Config

    stop = asyncio.Event()

    def end() -> None:
        # What is cut off from here on, connections and functions at work, is cut off on purpose.
        logging.disable(logging.CRITICAL)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.2
    config.accesslog = None
    config.loglevel = os.environ["LOG_LEVEL"]
    threading.Thread(target=_announce, args=(listener.getsockname()[1],), daemon=True).start()
    await hypercorn(application, config, shutdown_trigger=stop.wait)


def _announce(port: int) -> None:
    with contextlib.suppress(OSError):
        connection = http.client.HTTPConnection(environment.HOST, port, timeout=30)
        connection.request("GET", "/_picket/health")
        connection.getresponse().read()
        print(f"ready http://{environment.HOST}:{port}", flush=True)


def end_with_parent() -> None:
    """On Linux, be ended when the process that started us dies, however it dies."""
    if sys.platform != "linux":
        return
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="AWS enough for Picket, on loopback.")
    parser.add_argument("--port", type=int, default=4566, help="0 picks a free one (default 4566)")
    parser.add_argument("--log-level", default="WARNING", help="of the emulators, on stderr")
    parser.add_argument("--with-parent", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    missing = environment.missing_packages()
    if missing:
        sys.exit(missing)
    if options.with_parent:
        end_with_parent()
    listener = listen(options.port)
    environment.enter(listener.getsockname()[1], options.log_level.upper())
    application = assemble()
    warm()
    code = 0
    try:
        asyncio.run(serve(application, listener))
    except Exception:
        traceback.print_exc()
        code = 1
    import ministack_internals as ministack

    ministack.stop_functions()
    sys.stdout.flush()
    os._exit(code)  # ministack's pollers are threads that would keep the process


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
