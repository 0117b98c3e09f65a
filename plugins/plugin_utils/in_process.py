# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module of this collection in a fork of the worker that its task has already.

The usual way packs the module and all that it imports into an archive, starts an interpreter and compiles everything
anew, for every host of every task; half of a run that has nothing to do is spent there. A module that runs on the
control node by its own Python needs none of it: what an action imports is loaded once, before workers are forked.
Wherever anything differs (another connection, user or interpreter, an environment, async), the usual way is taken.
See docs/decisions/in-process.md.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import traceback
from types import ModuleType
from typing import Any, NoReturn

from ansible import constants as C
from ansible.module_utils import _internal, basic
from ansible.module_utils.common.json import Direction, get_module_encoder
from ansible.plugins.action import ActionBase
from ansible.vars.clean import remove_internal_keys

PLUGINS = "ansible_collections.llm_verifier.multi_region.plugins"
HERE = frozenset({"local"})  # connections that run a module on this machine
PROFILE = "legacy"  # how arguments and results of Python modules are written


def load(*names: str) -> None:
    """Load what every worker would load itself: packages, or parts of this collection (`module_utils.…`).

    What can't be loaded is left to whoever needs it, who can say what is missing.
    """
    for name in names:
        with contextlib.suppress(ImportError):
            importlib.import_module(f"{PLUGINS}.{name}" if name.startswith("module_utils.") else name)


class InProcess(ActionBase):
    """The action of a module that may run in its worker's fork; a subclass names the module."""

    MODULE: ModuleType
    _supports_check_mode = True
    _supports_async = True
    _requires_connection = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module and return its result."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        given = task_vars or {}
        if self._is_here(given):
            return result | self._run_here(given)
        wrap_async = bool(self._task.async_val) and not self._connection.has_native_async
        result |= self._execute_module(task_vars=given, wrap_async=wrap_async)
        if not wrap_async:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _is_here(self, task_vars: dict[str, Any]) -> bool:
        """Tell whether the usual way would run the module as this user, on this machine, by this interpreter."""
        host = task_vars.get("ansible_delegated_vars", {}).get(self._task.delegate_to, task_vars)
        asked = self._templar.template(host.get("ansible_python_interpreter", ""))
        otherwise = (
            self._connection.transport not in HERE or self._connection.become or self._task.async_val
            or any(self._task.environment or []) or C.DEFAULT_KEEP_REMOTE_FILES
        )  # fmt: skip
        return asked == sys.executable and not otherwise

    def _run_here(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        arguments = self._task.args
        self._update_module_args(self._task.action, arguments, task_vars)
        encoder = get_module_encoder(PROFILE, Direction.CONTROLLER_TO_MODULE)
        text = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}, cls=encoder).encode()
        files = [os.memfd_create(name) for name in ("stdout", "stderr")]
        try:
            status = _waited(_forked(self.MODULE, text, files, self._loader.get_basedir()))
            stdout, stderr = (_read(file) for file in files)
        finally:
            for file in files:
                os.close(file)
        data: dict[str, Any] = self._parse_returned_data({"stdout": stdout, "stderr": stderr, "rc": status}, PROFILE)
        remove_internal_keys(data)
        return data


def _forked(module: ModuleType, arguments: bytes, files: list[int], folder: str) -> int:
    """Start a module and return its process's number."""
    child = os.fork()
    if not child:
        _main(module, arguments, files, folder)
    return child


def _main(module: ModuleType, arguments: bytes, files: list[int], folder: str) -> NoReturn:
    """Be the module's process: as a new one would be, but for what is loaded already."""
    status = 1
    try:
        for ends in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ends, signal.SIG_DFL)
        for file, number in zip(files, (1, 2), strict=True):
            os.dup2(file, number)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
        os.chdir(folder)
        _internal.is_controller = False  # or a warning would go to a display that ends with this process
        basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE, basic._PARSED_MODULE_ARGS = arguments, PROFILE, None
        module.main()
        status = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException as error:
        print(json.dumps({"failed": True, "msg": str(error), "exception": traceback.format_exc()}))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _waited(child: int) -> int:
    """Wait for a process and return its exit status; it ends with whoever waits."""
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise


def _read(file: int) -> str:
    os.lseek(file, 0, os.SEEK_SET)
    with os.fdopen(os.dup(file), encoding="utf-8", errors="replace") as text:
        return text.read()
