"""A simulated disk behind the disk port: what was not synced may be lost, torn or come in another order.

Works on a real folder and keeps a second account of what is durable there; `after_power_cut` writes a folder
as it may look when the power comes back. Model after "All File Systems Are Not Created Equal" (OSDI 2014) and
"Can Applications Recover from fsync Failures?" (ATC 2020).
"""

import errno
import os
import threading

from airpocket.ingest import disk

PORT = (
    "open_new", "write_some", "sync", "cut", "overwrite", "rename", "remove", "add_folder", "sync_folder",
)  # fmt: skip


class PowerCut(OSError):
    """The machine is off: no step of the port works any more."""


class Inode:
    """A file: what is durable of it, and what was written since."""

    def __init__(self):
        self.durable = b""
        self.pending = []  # (offset, bytes)
        self.doomed = []  # written before a sync that failed: no later sync brings it to the disk
        self.size = 0


class SimDisk:
    """Install with `monkeypatch`; `cut_after` steps the power goes, `eio` is the chance that a sync fails."""

    def __init__(self, root, rng, cut_after=None, eio=0.0):
        self.root, self.rng, self.left, self.eio = root, rng, cut_after, eio
        self.is_off = False
        self.open = {}  # handle → inode
        self.live = {}  # name → inode, None for a folder: as programs see it
        self.durable = {}  # the same, as it is on the disk
        self.pending = []  # (folder, {name: inode or None, or GONE}): changes of names not yet synced
        self.failed_syncs = 0
        self._lock = threading.Lock()
        for path in sorted(root.rglob("*")):
            self._found(path)

    def install(self, monkeypatch):
        for name in PORT:
            monkeypatch.setattr(disk, name, getattr(self, name))
        monkeypatch.setattr(disk, "is_gone", lambda handle: False)

    def _found(self, path):
        inode = None
        if path.is_file():
            inode = Inode()
            inode.durable = path.read_bytes()
            inode.size = len(inode.durable)
        self.live[self._name(path)] = self.durable[self._name(path)] = inode

    def _name(self, path):
        return path.relative_to(self.root).as_posix()

    def _step(self):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.is_off = True
        if self.is_off:
            raise PowerCut(errno.EIO, "the power is off")

    def open_new(self, path):
        with self._lock:
            self._step()
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
            inode = self.open[handle] = self.live[self._name(path)] = Inode()
            self.pending.append((self._name(path.parent), {self._name(path): inode}))
            return handle

    def write_some(self, handle, view):
        with self._lock:
            self._step()
            inode = self.open[handle]
            data = (
                bytes(view[: self.rng.randint(1, len(view))])
                if self.rng.random() < 0.1
                else bytes(view)
            )
            inode.pending.append((inode.size, data))
            inode.size += len(data)
            return os.write(handle, data)

    def sync(self, handle):
        with self._lock:
            self._step()
            inode = self.open[handle]
            if self.rng.random() < self.eio:
                inode.doomed += inode.pending
                inode.pending = []
                self.failed_syncs += 1
                raise OSError(errno.EIO, "Input/output error")
            self._settle(inode)
        disk.step("synced")

    def _settle(self, inode):
        size = max([len(inode.durable), *(at + len(data) for at, data in inode.pending)])
        content = bytearray(inode.durable.ljust(size, b"\0"))
        for at, data in inode.pending:
            content[at : at + len(data)] = data
        inode.durable, inode.pending = bytes(content), []

    def cut(self, path, size):
        with self._lock:
            self._step()
            inode = self.live[self._name(path)]
            self._settle(inode)
            inode.durable, inode.size = inode.durable[:size], size
            os.truncate(path, size)
        disk.step("cut")

    def overwrite(self, path, data):
        """The word of a log that stopped: no promise of ours rests on it."""
        with self._lock:
            self._step()
            path.write_bytes(data)
            self._found(path)

    def rename(self, path, final):
        with self._lock:
            self._step()
            inode = self.live.pop(self._name(path))
            self.live[self._name(final)] = inode
            self.pending.append(
                (self._name(final.parent), {self._name(path): GONE, self._name(final): inode})
            )
            path.replace(final)
        disk.step("renamed")

    def remove(self, path):
        with self._lock:
            self._step()
            if self.live.pop(self._name(path), None) is not None:
                self.pending.append((self._name(path.parent), {self._name(path): GONE}))
            path.unlink(missing_ok=True)
        disk.step("removed")

    def add_folder(self, folder):
        with self._lock:
            self._step()
            if self._name(folder) not in self.live and folder != self.root:
                self.live[self._name(folder)] = None
                self.pending.append((self._name(folder.parent), {self._name(folder): None}))
            folder.mkdir(exist_ok=True)

    def sync_folder(self, folder):
        with self._lock:
            self._step()
            kept = []
            for where, changes in self.pending:
                if where == self._name(folder):
                    _change(self.durable, changes)
                else:
                    kept.append((where, changes))
            self.pending = kept
        disk.step("folder synced")

    def after_power_cut(self, to):
        """Write what may be on the disk now; each change not synced came through or not, by chance."""
        names = dict(self.durable)
        for _, changes in self.pending:
            if self.rng.random() < 0.5:
                _change(names, changes)
        to.mkdir()
        for name, inode in sorted(names.items()):
            path = to / name
            if inode is None:
                if path.parent.is_dir():
                    path.mkdir(exist_ok=True)
            elif path.parent.is_dir():
                path.write_bytes(self._survived(inode))

    def _survived(self, inode):
        content = bytearray(inode.durable)
        for at, data in inode.pending:
            self._tear(content, at, data, self.rng.choice((0.0, 0.5, 1.0)))
        for at, data in inode.doomed:
            self._tear(content, at, data, self.rng.choice((0.0, 0.5)))
        return bytes(content)

    def _tear(self, content, at, data, chance):
        """Blocks of 512 or 4096 bytes come through one by one; the size of the file may, too."""
        block = self.rng.choice((512, 4096))
        end = at + len(data)
        start = at
        while start < end:
            stop = min((start // block + 1) * block, end)
            if self.rng.random() < chance:
                content.extend(bytes(max(0, stop - len(content))))
                content[start:stop] = data[start - at : stop - at]
            start = stop
        if self.rng.random() < chance / 4:
            content.extend(bytes(max(0, end - len(content))))


GONE = "gone"


def _change(names, changes):
    for name, inode in changes.items():
        if inode is GONE:
            names.pop(name, None)
        else:
            names[name] = inode
