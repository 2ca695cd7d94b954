"""Finding a path from another machine, or another system, among the library's images: by file name, in one project.

Pure: it is given the known project ids and a lookup of images by (project, name). The project of a path is the folder
in it that equals a known id, whatever the case; names are compared in NFC. Two projects in a row, a file that is not
there, or a name that stays ambiguous is refused with the reason; nothing is matched across projects.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.ranking.observe import RowRefused, SelectionRow

_SEPARATORS = re.compile(r"[\\/]")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image of the library as far as matching needs it."""

    image_id: int
    path: str


def split_path(path: str) -> tuple[str, str]:
    """Folder and file name of a POSIX or Windows path, in NFC.

    A path that begins with `/` is split at `/` only, because there a backslash can be part of a name.
    """
    text = path if path.isascii() else unicodedata.normalize("NFC", path)
    cut = text.rfind("/") if text.startswith("/") else max(text.rfind("/"), text.rfind("\\"))
    return text[: cut + 1], text[cut + 1 :]


def components(path: str) -> list[str]:
    """The parts of a POSIX or Windows path in NFC, without empty ones; split as `split_path` does."""
    text = path if path.isascii() else unicodedata.normalize("NFC", path)
    parts = text.split("/") if text.startswith("/") else _SEPARATORS.split(text)
    return [part for part in parts if part and part != "."]


def file_name(path: str) -> str:
    """The last component in NFC; empty for a path that ends with a separator."""
    return split_path(path)[1]


class KnownProjects:
    """The ids that a path may name: casefolded key -> id as written."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names
        self._of_folder: dict[str, frozenset[str]] = {}  # a log names few folders, many times

    def named_in(self, path: str) -> frozenset[str]:
        """Keys of the known projects among the folders of the path (the file's own name does not count)."""
        folder = split_path(path)[0]
        found = self._of_folder.get(folder)
        if found is None:
            found = frozenset(part.casefold() for part in components(folder)) & self.names.keys()
            if not found and "\\" in path:
                found = frozenset(part.casefold() for part in _SEPARATORS.split(path)[:-1]) & self.names.keys()
            found = self._of_folder[folder] = frozenset(found)
        return found

    def of_row(self, row: SelectionRow, exact: Mapping[str, str]) -> str:
        """Key of the one project that a row belongs to.

        `exact` maps paths that are library images, letter by letter, to their project's key: those need no guess, so
        it is asked first. A bare file name says nothing about its project and goes with the rest of the row.
        """
        named: set[str] = set()
        stray = ""
        for path in (row.chosen_path, *row.neg_paths):
            known = exact.get(path)
            here = self.named_in(path) if known is None else {known}
            if not here and split_path(path)[0]:
                stray = stray or path
            named |= here
        if len(named) > 1:
            shown = " and ".join(sorted(self.names[key] for key in named))
            raise RowRefused(f"the row names two projects: {shown}")
        if not named or stray:
            raise RowRefused(
                f"no known project in the path {stray or row.chosen_path}; scan that project's folder first, "
                "or add a manifest with its id"
            )
        return named.pop()


def shared_suffix(one: Sequence[str], other: Sequence[str]) -> int:
    """How many trailing components two paths have in common, folders compared without case."""
    count = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left.casefold() != right.casefold():
            break
        count += 1
    return count


def choose(path: str, candidates: Sequence[Candidate], project: str) -> int:
    """Image id for a path among the project's images of that name: the longest matching path suffix wins.

    Raises RowRefused when there is none, or when several match equally well.
    """
    if not candidates:
        raise RowRefused(f"there is no file named {file_name(path) or path} in project {project}")
    if len(candidates) == 1:
        return candidates[0].image_id
    wanted = components(path)
    ranked = sorted(((shared_suffix(wanted, components(c.path)), c.image_id) for c in candidates), reverse=True)
    if ranked[0][0] == ranked[1][0]:
        raise RowRefused(
            f"{file_name(path)} occurs {len(candidates)} times in project {project}, "
            "and the path does not tell which one is meant"
        )
    return ranked[0][1]


def match_row(row: SelectionRow, project: str, images: Mapping[str, Sequence[Candidate]]) -> tuple[int, ...]:
    """Image ids of a row, the winner first, every loser once. `images` maps NFC names to the project's candidates."""
    winner = choose(row.chosen_path, images.get(file_name(row.chosen_path), ()), project)
    losers = [choose(path, images.get(file_name(path), ()), project) for path in row.neg_paths]
    if winner in losers:
        raise RowRefused("the winner is among the losers: two of the paths are the same image")
    return (winner, *dict.fromkeys(losers))


def names_wanted(rows: Iterable[SelectionRow]) -> set[str]:
    """Every file name (NFC) that the rows mention."""
    return {file_name(path) for row in rows for path in (row.chosen_path, *row.neg_paths)}
