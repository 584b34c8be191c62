"""*Exporter*: the plans as files and as a link, as the command line writes them."""

from __future__ import annotations

import io
import tempfile
import zipfile
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

import allocator
from allocator.formats import save
from allocator.report.comparison import write_comparison
from allocator.report.files import write_plan
from allocator.texts import Text, language, set_language
from ui import deciding, visit, waiting, work
from ui.cards import note
from ui.collection import collection
from ui.explaining.telling import chosen
from ui.tables import table
from ui.texts import percent, slug

if TYPE_CHECKING:
    from allocator.plan import Plan

FILES = (
    ("note.pdf", Text("deux pages pour qui décide", "two pages for who decides")),
    ("plan.xlsx", Text("le plan entier, un onglet par question", "the whole plan, a sheet per question")),
    ("grants.csv", Text("chaque subvention, au centime", "every grant, to the cent")),
    ("payments.csv", Text("les paiements par année", "payments by year")),
    ("units.csv", Text("chaque dossier, financé ou non", "every demand, funded or not")),
    ("account.csv", Text("le compte de chaque fonds", "the account of every fund")),
    ("summary.json", Text("le résumé, pour un programme", "the summary, for a program")),
    ("scenario.xlsx", Text("le scénario, à reprendre dans un tableur", "the scenario, to go on with in a spreadsheet")),
)


def show() -> None:
    st.header(str(Text("Exporter", "Export")))
    st.subheader(str(Text("Le lien", "The link")))
    note(Text(
        "Qui l'ouvre sur ce serveur voit ce que vous voyez : scénarios, variante, territoire.",
        "Whoever opens it on this server sees what you see: scenarios, variant, place.",
    ))  # fmt: skip
    st.code(link(), language=None, wrap_lines=True)
    st.subheader(str(Text("Un plan", "A plan")))
    ref = chosen("exported")
    plans = waiting.plans([ref])
    if plans:
        _plan(ref, plans[ref])
    _comparison()
    if plans:
        deciding.draw(ref, plans[ref])


def link() -> str:
    """The first screen at the address of this visit."""
    here = urlsplit(st.context.url or "")
    root = here.path.rsplit("/", 1)[0] + "/"
    return urlunsplit((here.scheme, here.netloc, root, urlencode(visit.current().address, safe=",:"), ""))


def _plan(ref: str, plan: Plan) -> None:
    table(
        str(Text("Ce que contient l'archive", "What the archive holds")),
        [str(Text("Fichier", "File")), str(Text("Contenu", "Content"))], [[name, str(text)] for name, text in FILES], left=2,
    )  # fmt: skip
    made = waiting.result(str(Text("les fichiers", "the files")), lambda: archive(ref, plan))
    if made is not None:
        st.download_button(
            str(Text("Télécharger le plan (zip)", "Download the plan (zip)")), made, file_name=f"{plan.scenario.name}.zip",
            mime="application/zip", type="primary", key=visit.key(f"zip-{ref}"), on_click="ignore",
        )  # fmt: skip
    with st.expander(str(Text("Pour spécialistes", "For specialists"))):
        report = plan.engine
        gap = "—" if plan.gap is None else percent(plan.gap, 4)
        st.write(str(Text(
            f"Moteur : {report.name} {report.version} ; écart demandé : {percent(report.gap)} ; écart garanti : {gap} ; "
            f"empreinte : {plan.scenario.input_hash}",
            f"Engine: {report.name} {report.version}; gap asked: {percent(report.gap)}; gap: {gap}; "
            f"input hash: {plan.scenario.input_hash}",
        )))  # fmt: skip


def archive(ref: str, plan: Plan) -> work.Job:
    """All files of a plan, and its scenario as a workbook, in one zip."""

    def made(job: work.Job) -> bytes:
        set_language(job.lang)
        with tempfile.TemporaryDirectory(prefix="allocator-") as folder:
            _written(plan, Path(folder), job)
            return _zipped(Path(folder))

    return work.workshop().ask(("archive", ref, str(plan.objective), language()), made, later=True)


def _written(plan: Plan, folder: Path, job: work.Job) -> None:
    job.tell(Text("note et classeur", "note and workbook"))
    write_plan(plan, folder, pdf=True)
    job.tell(Text("scénario", "scenario"))
    save(plan.scenario, folder / "scenario.xlsx")


def _zipped(folder: Path) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archived:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archived.write(path, str(path.relative_to(folder)))
    return out.getvalue()


def _comparison() -> None:
    refs = visit.current().compared
    if len(refs) < 2:
        return
    st.subheader(str(Text("La comparaison", "The comparison")))
    st.html("<ul>" + "".join(f"<li>{escape(collection().label(ref))}</li>" for ref in refs) + "</ul>")
    note(Text(
        "Une archive : le classeur et les tableaux de la comparaison, et un dossier de fichiers pour chaque plan.",
        "One archive: the workbook and the tables of the comparison, and a folder of files for each plan.",
    ))  # fmt: skip
    asked = "compared-" + "-".join(refs)
    if not st.session_state.get(asked):
        ready = Text("Préparer la comparaison", "Prepare the comparison")
        st.button(str(ready), key=visit.key("book-ask"), on_click=st.session_state.update, args=({asked: True},))
        return
    plans = waiting.plans(refs)
    if plans is None or len(plans) < 2:
        return
    made = waiting.result(str(Text("la comparaison", "the comparison")), lambda: compared(plans))
    if made is not None:
        st.download_button(
            str(Text("Télécharger la comparaison (zip)", "Download the comparison (zip)")), made,
            file_name="comparaison.zip", key=visit.key("book"), on_click="ignore", mime="application/zip", type="primary",
        )  # fmt: skip


def compared(plans: dict[str, Plan]) -> work.Job:
    """The comparison as `allocator compare --out` writes it, and beside it the files of each plan, in one zip."""

    def made(job: work.Job) -> bytes:
        set_language(job.lang)
        comparison = allocator.compare(plans.values())
        with tempfile.TemporaryDirectory(prefix="allocator-") as folder:
            job.tell(Text("tableaux de la comparaison", "tables of the comparison"))
            write_comparison(comparison, folder)
            for rank, (name, plan) in enumerate(zip(comparison.names, comparison.plans, strict=True), 1):
                if plan.reading is not None:
                    _written(plan, Path(folder) / f"{rank}-{slug(name)}", job)
            return _zipped(Path(folder))

    key = ("compared", *(f"{ref}={plan.objective}" for ref, plan in plans.items()), language())
    return work.workshop().ask(key, made, later=True)
