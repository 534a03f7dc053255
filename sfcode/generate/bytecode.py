"""Keep sfcode's own templates compiled beside them, as Python keeps its modules: compiling takes longer than rendering."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pickle
import sys
from pathlib import Path

from jinja2.bccache import Bucket, BytecodeCache


class TemplateBytecode(BytecodeCache):
    """
    The compiled templates of one trusted folder; those of every other folder are compiled again in each process.

    Compiled code runs as it is read, so it is read only from `__pycache__` of the installed package, which is trusted as much as
    the package itself, and never from a project. `options` are those of the environment, which the code depends on.
    """

    def __init__(self, folder: Path, options: str) -> None:
        self._folder = str(folder)
        self._options = options

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load the code of a template, if it was compiled from this source by this version of Jinja2 and Python."""
        if bucket.key:
            with (
                contextlib.suppress(OSError, EOFError, ValueError, pickle.UnpicklingError),
                Path(bucket.key).open("rb") as file,
            ):
                bucket.load_bytecode(file)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Save the code of a template, unless Python saves none or the folder is read-only."""
        if bucket.key and not sys.dont_write_bytecode:
            with contextlib.suppress(OSError):
                path = Path(bucket.key)
                path.parent.mkdir(parents=True, exist_ok=True)  # several, below PYTHONPYCACHEPREFIX
                new = path.with_suffix(f".{os.getpid()}")
                new.write_bytes(bucket.bytecode_to_string())
                new.replace(path)  # a process that reads it at the same time gets a whole file

    def get_cache_key(self, _name: str, filename: str | None = None) -> str:
        """Return the file name of a template, which the bucket gets as its key; empty for a template of another folder."""
        if filename is None or os.path.dirname(filename) != self._folder:  # noqa: PTH120  (of every template, so quickly)
            return ""
        # The code holds the file's name for tracebacks.
        digest = hashlib.sha256(f"{filename}\n{self._options}".encode()).hexdigest()[:16]
        return importlib.util.cache_from_source(filename, optimization=digest)
