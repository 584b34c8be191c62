"""Files that people name, and how much of them is read: regular ones, of a stated size, and only tables or scenarios.

A scenario may come from a stranger. What it names is read with the rights of whoever runs it, so it may name a table, a
scenario or a plan (by the suffix of the file that a link leads to), and never a device, a pipe, or a system's own file,
whose lines an error message would show. One that was sent to a server is read `within` its own folder (028).
"""

from __future__ import annotations

import errno
import io
import os
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from allocator import limits
from allocator.texts import Text

TABLES = (".csv", ".txt")
YAML = (".yaml", ".yml")
_OURS = Path(__file__).resolve().parent / "data"
_WITHIN: ContextVar[Path | None] = ContextVar("within", default=None)


_SYSTEM = {
    errno.EACCES: Text("accès refusé", "access denied"),
    errno.EPERM: Text("opération interdite", "not permitted"),
    errno.ENOENT: Text("introuvable", "not found"),
    errno.EEXIST: Text("existe déjà", "exists already"),
    errno.EISDIR: Text("c'est un dossier", "it is a folder"),
    errno.ENOTDIR: Text("un fichier tient la place d'un dossier", "a file is where a folder should be"),
    errno.ENOSPC: Text("plus de place sur le disque", "no space left on the disk"),
    errno.EDQUOT: Text("plus de place pour cet utilisateur", "no space left for this user"),
    errno.EFBIG: Text("fichier trop grand pour ce disque", "file too large for this disk"),
    errno.EROFS: Text("disque en lecture seule", "read-only disk"),
    errno.EIO: Text("le disque ne répond plus", "the disk no longer answers"),
    errno.EBUSY: Text("déjà utilisé par un autre programme", "in use by another program"),
    errno.EMFILE: Text("trop de fichiers ouverts", "too many open files"),
    errno.ENAMETOOLONG: Text("nom trop long", "name too long"),
    errno.ELOOP: Text("des liens tournent en rond", "links go round in a circle"),
}


def reason(error: BaseException) -> Text:
    """Why the system refused, in words; what it says itself where it is something rare."""
    plain = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return _SYSTEM.get(getattr(error, "errno", None) or 0, Text(plain, plain))


class Refused(Exception):
    """A file that is not read: (why, what would be right)."""

    def __init__(self, message: Text, remedy: Text | None = None) -> None:
        super().__init__(message, remedy)
        self.message, self.remedy = message, remedy


@contextmanager
def within(folder: Path) -> Iterator[None]:
    """Inside, no file is read but those of a folder and the built-in ones, whatever a scenario names and links lead to."""
    token = _WITHIN.set(folder.resolve())
    try:
        yield
    finally:
        _WITHIN.reset(token)


def permit(path: Path) -> None:
    """`Refused` where a file may not be read here; whether there is one is not said, nor looked at."""
    root = _WITHIN.get()
    if root is not None and not any(path.resolve().is_relative_to(one) for one in (root, _OURS)):
        wrong = Text(
            "un fichier envoyé ne nomme aucun fichier du serveur", "a file sent here names no file of the server"
        )
        remedy = Text("Mettez-y le contenu, ou chargez le dossier entier avec la commande allocator.",
                      "Put its content inside, or load the whole folder by the command allocator.")  # fmt: skip
        raise Refused(wrong, remedy)


def content(path: Path, kinds: Collection[str] = ()) -> bytes:
    """A file's bytes. `kinds`: the suffixes that it may have, where a file names it.

    `Refused` where it is no such file, is too large or cannot be read; `FileNotFoundError` where there is none.
    """
    try:
        permit(path)
        real = path.resolve()
        if real.exists() and not real.is_file():  # a folder, or a device without an end
            wrong = Text("fichier illisible (pas un fichier ordinaire)", "unreadable file (not a regular file)")
            raise Refused(wrong, Text("donner un fichier CSV ou YAML", "give a CSV or YAML file"))
        if kinds and real.exists() and real.suffix.lower() not in kinds:
            among = ", ".join(kinds)
            wrong = Text(f"ce n'est pas un fichier {among}", f"this is no {among} file")
            raise Refused(wrong, Text(f"Donnez un fichier {among}.", f"Give a {among} file."))
        most = limits.YAML_BYTES if real.suffix.lower() in YAML else limits.FILE_BYTES
        with real.open("rb") as file:
            known = os.fstat(file.fileno()).st_size  # 0 for what the system makes up as it is read
            data = file.read(most + 1) if known <= most else None
    except FileNotFoundError:
        raise
    except (OSError, RuntimeError, ValueError) as error:  # a circle of links; a name that no file can have
        said = reason(error)
        raise Refused(Text(f"fichier illisible ({said.fr})", f"unreadable file ({said.en})")) from None
    if data is None or len(data) > most:
        size = most >> 20
        wrong = Text(f"fichier trop grand : {size} Mo au plus", f"file too large: at most {size} MB")
        raise Refused(
            wrong, Text("Partagez-le, ou mettez les lignes dans un CSV.", "Split it, or put the rows in a CSV.")
        )
    return data


def repacked(data: bytes, most: int, index: Collection[str] = ()) -> io.BytesIO:
    """The texts of a zipped document (XML; no pictures, no programs), unpacked and counted, in a zip that packs nothing.

    What a zip says of its sizes may be false, and two libraries may understand one zip in two ways: whoever reads on reads
    what was counted here. `index`: parts that are small. `Refused`: more than `most` bytes, too many parts, one twice, a DTD
    (entities). What `zipfile` raises passes.
    """
    out, left, seen = io.BytesIO(), most, set[str]()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(out, "w") as copy:
        members = archive.infolist()
        if len(members) > limits.MEMBERS:
            raise too_large(f"{limits.MEMBERS} parties", f"{limits.MEMBERS} parts")
        for member in members:
            if not member.filename.endswith((".xml", ".rels", "mimetype")):
                continue
            if member.filename.lower() in seen:
                wrong = Text(f"classeur abîmé : {member.filename!r} s'y trouve deux fois",
                             f"damaged workbook: {member.filename!r} is in it twice")  # fmt: skip
                raise Refused(wrong, Text("Enregistrez-le de nouveau.", "Save it again."))
            seen.add(member.filename.lower())
            room, before = min(left, limits.INDEX_BYTES) if member.filename in index else left, b""
            left -= room
            with archive.open(member) as part, copy.open(member.filename, "w") as put:
                while text := part.read(min(room + 1, 1 << 20)):
                    room -= len(text)
                    if room < 0:
                        size = (limits.INDEX_BYTES if member.filename in index else most) >> 20
                        raise too_large(f"{size} Mo", f"{size} MB")
                    if any(mark in before[-9:] + text for mark in (b"<!DOCTYPE", b"<!ENTITY")):
                        wrong = Text(
                            "classeur refusé : il définit des entités (DTD)",
                            "workbook refused: it defines entities (DTD)",
                        )
                        raise Refused(wrong, Text("Enregistrez-le de nouveau.", "Save it again."))
                    put.write(text)
                    before = text
            left += room
    out.seek(0)
    return out


def too_large(fr: str, en: str) -> Refused:
    wrong = Text(f"classeur trop grand : {fr} au plus", f"workbook too large: at most {en}")
    return Refused(wrong, Text("Gardez ces tables en CSV, dans un dossier.", "Keep these tables as CSV, in a folder."))
