"""Cache sfcode's own templates in compiled form, like Python's modules, since compiling takes longer than rendering."""

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
    The compiled templates of one trusted folder; templates of other folders are compiled in each process.

    Compiled code is executed when it is read, so it is read only from `__pycache__` of the installed package, which is trusted like
    the package itself, and never from a project. `options` are those of the environment, on which the code depends.
    """

    def __init__(self, folder: Path, options: str) -> None:
        self._folder = str(folder)
        self._options = options

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load the code of a template if it was compiled from this source with these versions of Jinja2 and Python."""
        if bucket.key:
            with (
                contextlib.suppress(OSError, EOFError, ValueError, pickle.UnpicklingError),
                Path(bucket.key).open("rb") as file,
            ):
                bucket.load_bytecode(file)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Save the code of a template, unless Python's caching is off or the folder is read-only."""
        if bucket.key and not sys.dont_write_bytecode:
            with contextlib.suppress(OSError):
                path = Path(bucket.key)
                path.parent.mkdir(parents=True, exist_ok=True)  # PYTHONPYCACHEPREFIX needs several folders
                new = path.with_suffix(f".{os.getpid()}")
                new.write_bytes(bucket.bytecode_to_string())
                new.replace(path)  # atomic for other processes that read the file

    def get_cache_key(self, _name: str, filename: str | None = None) -> str:
        """Return the file name of a template as its cache key; empty for a template of another folder."""
        if filename is None or os.path.dirname(filename) != self._folder:  # noqa: PTH120  (of every template, so quickly)
            return ""
        # The code contains the file name for tracebacks.
        digest = hashlib.sha256(f"{filename}\n{self._options}".encode()).hexdigest()[:16]
        return importlib.util.cache_from_source(filename, optimization=digest)
