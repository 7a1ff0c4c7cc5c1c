"""Tools at work: from a button, a key or a click to a preview, or to an edit at once."""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any

from napari_chest.edits import LUNGS, Edit, MaskAdded, mask_of
from napari_chest.errors import ChestError
from napari_chest.tools import TOOLS
from napari_chest.tools.combine import NEXT, PREVIOUS
from napari_chest.tools.lungs import lungs
from napari_chest.ui import tool_checks
from napari_chest.ui.canvas.masks import CLICK, MOVE
from napari_chest.ui.combining import COMBINING, equipped, sources, with_combining
from napari_chest.ui.keys import KEYS, shown
from napari_chest.ui.live_numbers import LiveNumbers
from napari_chest.ui.protecting import Protecting
from napari_chest.ui.tool_jobs import Job, perform
from napari_chest.ui.tool_work import ToolWork
from napari_chest.ui.units import Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from napari_chest.edits import Draft, Step
    from napari_chest.model import Mask, Segment
    from napari_chest.tools.base import Tool, Voxel
    from napari_chest.tools.lungs import Lungs
    from napari_chest.ui.canvas import Canvas
    from napari_chest.ui.session import Session
    from napari_chest.ui.tool_jobs import Outcome
    from napari_chest.ui.workbench import Workbench

_TOOL_KEYS: dict[str, tuple[str, dict[str, Any]]] = {
    "interpolate": ("interpolate", {}),
    "remove_island": ("remove_island", {}),
    "holes": ("fill_holes", {}),
    "clear_slice": ("clear_slice", {}),
    "copy_mask_next": ("copy_slice", {"to": NEXT}),
    "copy_mask_previous": ("copy_slice", {"to": PREVIOUS}),
}
"""Which tool a key of `keys.KEYS` uses, and what the key itself sets of it."""
_GROW = "grow"
_NOTHING_ELSE = "There is no other segment, and no other reader's mask, to combine this one with."


class Tooling:
    """Uses tools on the selected segment, one at a time, on a thread."""

    def __init__(self, session: Session, bench: Workbench, canvas: Canvas) -> None:
        self._session = session
        self._bench = bench
        self._canvas = canvas
        self._tools: dict[str, Tool] = {tool.key: tool for tool in TOOLS}
        self._clicked: Tool | None = None
        self._preview: tuple[Job, Outcome] | None = None
        self._work = ToolWork(bench, canvas)
        self._draft: Draft | None = None
        self._stale = False
        self._complete = False
        self.numbers = LiveNumbers(session, bench, canvas)
        self.protecting = Protecting(session, bench, canvas, self.find_lungs)
        bench.tool_menu.show_tools(with_combining(TOOLS), _keys())
        self._connect()

    def _connect(self) -> None:
        bench = self._bench
        bench.tool_menu.volume_tool_requested.connect(self.ask)
        bench.tool_menu.lungs_requested.connect(self.find_lungs)
        bench.tool_form.asked.connect(self.use)
        bench.tool_form.cancelled.connect(self._leave_form)
        bench.preview.kept.connect(self.keep)
        bench.preview.dropped.connect(self.drop)
        bench.tools.tool_requested.connect(self._on_tool_requested)
        self._canvas.voxel_clicked.connect(self._on_clicked)
        self._canvas.masks.tool_changed.connect(self._on_tool_changed)
        session = self._session
        session.edited.connect(self._on_edited)
        session.protection_changed.connect(self._on_protection)
        session.reading_chosen.connect(self._on_reading)

    def close(self) -> None:
        """Stop, and listen to the session no more, which outlives the dock."""
        self._work.let_go()
        self.numbers.close()
        self.protecting.close()
        session = self._session
        session.edited.disconnect(self._on_edited)
        session.protection_changed.disconnect(self._on_protection)
        session.reading_chosen.disconnect(self._on_reading)

    def actions(self) -> dict[str, Callable[[], Any]]:
        """What the keys of `keys.KEYS` do with tools."""
        acts: dict[str, Callable[[], Any]] = {
            action: partial(self.use_here, self._tools[tool], fixed)
            for action, (tool, fixed) in _TOOL_KEYS.items()
            if tool in self._tools
        }
        return acts | {
            "grow": self._grow,
            "lungs": self.find_lungs,
            "tool_menu": self._bench.tool_menu.showMenu,
        }

    # Cases

    def begin_case(self) -> None:
        """Use no tool until all voxels are there."""
        self._complete = False
        self.numbers.begin_case()

    def complete_case(self) -> None:
        """Let tools be used, now that all voxels are there."""
        self._complete = True
        self.numbers.complete_case()

    # Asking for a tool

    def ask(self, tool: Tool) -> None:
        """Let a person set what a tool can be set, or point where it is to work; else use it."""
        refusal = self._why_not(tool)
        if not refusal and tool in COMBINING:
            tool, refusal = self._equipped(tool)
        if refusal:
            self._bench.show_message(refusal)
        elif tool.needs == "voxel":
            self._clicked = tool
            self._canvas.masks.set_tool(CLICK)
            self._canvas.set_focus()
        elif tool.parameters:
            self.drop()
            self._bench.tool_form.show_tool(tool, self._others)
            self._bench.tool_form.focus_first()
        else:
            self.use(tool)

    def use_here(self, tool: Tool, fixed: Mapping[str, Any]) -> None:
        """Use a tool as it was set last, where the pointer is if it needs a voxel.

        Parameters
        ----------
        tool : the tool.
        fixed : what of it is set otherwise this time.
        """
        at = self._canvas.voxel_under_pointer if tool.needs == "voxel" else None
        if tool.needs == "voxel" and at is None:
            self._bench.show_message(f"{tool.title}: point at a voxel of the image first.")
        else:
            self.use(tool, at, fixed)

    def use(
        self, tool: Tool, at: Voxel | None = None, fixed: Mapping[str, Any] | None = None
    ) -> None:
        """Use a tool as its form shows it, or as it was set last."""
        self._drop_preview()
        self._canvas.flush()
        refusal = self._why_not(tool)
        chosen = self._chosen
        case, draft = self._session.open_case, self._session.draft
        if refusal or chosen is None or case is None or draft is None:
            self._bench.show_message(refusal)
            return
        mask, segment = chosen
        job = Job(
            tool,
            draft,
            mask,
            segment.value,
            case.volume.grid.spacing,
            self._canvas.slice,
            self._session.hounsfield,
            at,
            self._values(tool) | dict(fixed or {}),
        )
        self._start(tool.title, partial(perform, job), partial(self._on_outcome, job), job.stop)

    def find_lungs(self, then: Callable[[], None] | None = None) -> None:
        """Give the reading the mask of both lungs, and then go on with something."""
        voxels, case = self._session.hounsfield, self._session.open_case
        refusal = tool_checks.why_no_edit(self._session.draft, complete=self._complete)
        if not refusal and voxels is None:
            refusal = "Lungs are found by their HU, and this image has none."
        if refusal or voxels is None or case is None:
            self._bench.show_message(refusal)
            return
        self._drop_preview()
        self._canvas.flush()
        stop = Event()
        find = partial(lungs, voxels, case.volume.grid.spacing, stop.is_set)
        self._start("Find the lungs", find, partial(self._on_lungs, then), stop)

    def _grow(self) -> None:
        if _GROW in self._tools:
            self.ask(self._tools[_GROW])

    def _on_tool_requested(self, tool: str) -> None:
        if tool == CLICK:
            self._grow()

    def _on_clicked(self, voxel: Voxel) -> None:
        if self._clicked is not None:
            self.use(self._clicked, voxel)

    def _on_tool_changed(self, name: str) -> None:
        """Show what the clicks go by while they belong to a tool of ours."""
        form, tool = self._bench.tool_form, self._clicked
        if name == CLICK and tool is not None:
            self._bench.tools.show_tool(CLICK if tool.key == _GROW else "")
            form.show_tool(tool, self._others, clicked=True)
        elif form.tool is tool:
            form.hide_tool()

    def _leave_form(self) -> None:
        self.drop()
        if self._canvas.masks.tool == CLICK:
            self._canvas.masks.set_tool(MOVE)
        self._bench.tool_form.hide_tool()
        self._canvas.set_focus()

    def _equipped(self, tool: Tool) -> tuple[Tool, str]:
        """The tool with what the segment can be combined with, or why it cannot."""
        draft, case, chosen = self._session.draft, self._session.open_case, self._chosen
        if draft is None or case is None or chosen is None:
            return tool, tool_checks.NOTHING_CHOSEN
        found = sources(draft, case.readings, chosen[0].name, chosen[1].value)
        return equipped(tool, found), "" if found else _NOTHING_ELSE

    def _values(self, tool: Tool) -> dict[str, Any]:
        """What the tool is used with; a segment that is not there is taken to be the next one."""
        values = self._bench.tool_form.values(tool)
        others = [segment.value for segment in self._others]
        for parameter in tool.parameters:
            if parameter.kind == "segment" and values.get(parameter.key) not in others:
                values[parameter.key] = others[0] if others else None
        return values

    @property
    def _chosen(self) -> tuple[Mask, Segment] | None:
        return tool_checks.chosen(self._session.draft, self._canvas.masks)

    @property
    def _others(self) -> Sequence[Segment]:
        return tool_checks.others(self._session.draft, self._canvas.masks)

    def _why_not(self, tool: Tool) -> str:
        masks = self._canvas.masks
        return tool_checks.why_not(tool, self._session.draft, masks, complete=self._complete)

    # Work

    @property
    def busy(self) -> bool:
        """Whether a tool is at work."""
        return self._work.busy

    def stop(self) -> None:
        """Stop the tool that is at work; what comes of it is not wanted any more."""
        self._work.stop()

    def _start(
        self, title: str, work: Callable[[], Any], told: Callable[[Any], None], stop: Event
    ) -> None:
        self._stale, self._draft = False, self._session.draft
        self._work.start(title, work, told, stop)

    def _dropped(self) -> bool:
        """Whether the state that the tool worked on is no more; says so."""
        if self._stale or self._session.draft is not self._draft:
            why = "the masks changed meanwhile, so nothing was done. Use it again."
            self._bench.show_message(f"{self._work.title}: {why}")
            return True
        return False

    def _on_outcome(self, job: Job, outcome: Outcome) -> None:
        if self._dropped():
            return
        if outcome.edit is None:
            why = "what it would change is protected" if outcome.wanted else "nothing to change"
            self._bench.show_message(outcome.note or f"{job.tool.title}: {why}.")
        elif job.tool.preview:
            self._show_preview(job, outcome)
        else:
            self._do(job, outcome)

    def _do(self, job: Job, outcome: Outcome) -> None:
        edit = outcome.edit
        assert edit is not None
        try:
            self._session.do(edit)
        except ChestError as error:
            self._bench.show_message(str(error))
            return
        self._canvas.show_box(edit.box)
        said = self._told(job, outcome)
        self._bench.show_message(f"{said}. {outcome.note}" if outcome.note else said)

    def _told(self, job: Job, outcome: Outcome) -> str:
        """What comes of it: ``Interpolate: +3.2 ml on slices 12-20``."""
        case = self._session.open_case
        assert case is not None
        grid = case.volume.grid
        where = f" on {outcome.slices}" if grid.shape[0] > 1 else ""
        return f"{job.tool.title}: {Unit(grid).change(outcome.came, outcome.went)}{where}"

    def _on_lungs(self, then: Callable[[], None] | None, found: Lungs) -> None:
        if self._dropped():
            return
        chosen = self._canvas.masks.selected
        try:
            self._session.lungs_begun(found.labels)
        except ChestError as error:
            self._bench.show_message(str(error))
            return
        if chosen is not None:
            self._canvas.masks.select(*chosen)
        self._bench.show_message(" ".join(("The lungs are a mask of their own now.", *found.notes)))
        if then is not None:
            then()

    # Previews

    def keep(self) -> None:
        """Make an edit of what is previewed."""
        if self._preview is not None:
            job, outcome = self._preview
            self._drop_preview()
            if self._canvas.masks.tool != CLICK:
                self._bench.tool_form.hide_tool()
            self._do(job, outcome)
            self._canvas.set_focus()

    def drop(self) -> None:
        """Stop what is at work, or leave the mask as it is."""
        self.stop()
        if self._preview is not None:
            self._drop_preview()
            self._bench.show_message("Dropped; nothing was changed.")

    def _show_preview(self, job: Job, outcome: Outcome) -> None:
        edit = outcome.edit
        assert edit is not None
        assert outcome.difference is not None
        self._preview = job, outcome
        self._canvas.masks.preview.show(edit.box, outcome.difference)
        self._canvas.show_box(edit.box)
        self._canvas.bind_for_now({"Enter": self.keep, "Escape": self.drop})
        self._bench.show_message("")  # the preview tells more, and room is scarce
        self._bench.tool_form.show_previewed()
        self._bench.preview.show_preview(self._told(job, outcome), outcome.note)
        self._canvas.set_focus()

    def _drop_preview(self) -> None:
        if self._preview is not None:
            self._preview = None
            self._canvas.unbind_now()
            self._canvas.masks.preview.drop()
            self._bench.preview.hide()

    # The session

    def _on_edited(self, step: Step | None) -> None:
        self.numbers.show_step(step)
        if isinstance(step, MaskAdded) or (isinstance(step, Edit) and mask_of(step.target)):
            self._outdate("The masks changed, so the preview was dropped.")
            if isinstance(step, MaskAdded) and step.outline.name == LUNGS:
                self.protecting.show()

    def _on_protection(self) -> None:
        self._outdate("The protection changed, so the preview was dropped.")

    def _on_reading(self, draft: Draft | None) -> None:  # noqa: ARG002
        self.stop()
        self._drop_preview()
        if self._bench.tool_form.tool is not self._clicked:
            self._bench.tool_form.hide_tool()
        self.numbers.count()
        self.protecting.show()

    def _outdate(self, text: str) -> None:
        self._stale = True
        if self._preview is not None:
            self._drop_preview()
            self._bench.show_message(text)


def _keys() -> dict[str, str]:
    """The keys of tools, as a person reads them; a tool with several has them in a row."""
    known = {key.action for key in KEYS}
    keys: dict[str, str] = {}
    for action, tool in (*((a, t) for a, (t, _) in _TOOL_KEYS.items()), (_GROW, _GROW)):
        if action in known:
            keys[tool] = f"{keys[tool]}, {shown(action)}" if tool in keys else shown(action)
    return keys
