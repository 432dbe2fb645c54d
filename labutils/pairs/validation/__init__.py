"""What is wrong with a file of pairs, line by line, and a copy in which the unambiguous faults are repaired."""

from labutils.pairs.validation.checking import validate
from labutils.pairs.validation.problems import KINDS, Problem
from labutils.pairs.validation.repairing import Report, repair

__all__ = ["KINDS", "Problem", "Report", "repair", "validate"]
