"""What is wrong with a flow or a prompt file, told so that whoever wrote it finds the place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: file, node and key where they apply ("" otherwise), and what is wrong in plain words."""

    file: str
    node: str
    key: str
    words: str

    def __str__(self) -> str:
        place = [self.file, f"节点 {self.node}" if self.node else "", f"键 {self.key}" if self.key else ""]
        return f"{'，'.join(part for part in place if part)}：{self.words}"


class FlowError(Exception):
    """A flow or prompt file that cannot be used; `problems` holds at least one."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
