"""A solver that lies in a chosen way for as long as presolve is on, as releases of HiGHS have done."""

from types import SimpleNamespace

import highspy
import numpy as np

KINDS = {
    "value": "says a value that its columns do not have",
    "rows": "breaks a row",
    "fraction": "leaves a whole column a fraction",
    "bound": "claims a bound beyond its value",
    "gap": "says optimal and leaves a gap",
    "no answer": "says optimal and has no columns",
    "worse than known": "says optimal of a point worse than the one it was given",
    "infeasible": "says that there is no answer",
    "unbounded": "says that the answer has no end",
}


def lying(kind: str, *, always: bool = False) -> type:
    """Return a class of solvers that lie; ``always``: with presolve off too."""

    class Lying(highspy.Highs):
        lies = 0

        def enableCallbacks(self):
            self.setOptionValue("output_flag", False)
            super().enableCallbacks()

        def _lying(self) -> bool:
            whole = highspy.HighsVarType.kInteger in list(self.getLp().integrality_)
            return whole and (always or self.getOptionValue("presolve")[1] != "off")

        def run(self):
            done = super().run()
            Lying.lies += self._lying()
            return done

        def getModelStatus(self):
            told = {
                "infeasible": highspy.HighsModelStatus.kInfeasible,
                "unbounded": highspy.HighsModelStatus.kUnbounded,
            }
            return told[kind] if self._lying() and kind in told else super().getModelStatus()

        def _worst(self) -> np.ndarray:
            """Return a point that keeps the rows of a model whose columns may all be 0."""
            return np.array(self.getLp().col_lower_)

        def getSolution(self):
            found = super().getSolution()
            if not self._lying():
                return found
            values = np.array(found.col_value)
            lp = self.getLp()
            whole = np.flatnonzero([one == highspy.HighsVarType.kInteger for one in lp.integrality_])
            if kind in ("value", "worse than known"):
                values = self._worst()
            elif kind == "rows":
                values = np.array(lp.col_upper_)
            elif kind == "fraction":
                values[whole] = 0.5
            return SimpleNamespace(
                col_value=values.tolist(), row_dual=found.row_dual, dual_valid=found.dual_valid, value_valid=True
            )

        def getInfo(self):
            info = super().getInfo()
            if not self._lying():
                return info
            value, bound, status = info.objective_function_value, info.mip_dual_bound, info.primal_solution_status
            if kind == "bound":
                bound = value + 10.0
            elif kind == "gap":
                bound = value - 10.0
            elif kind == "no answer":
                status = 0
            elif kind == "worse than known":
                value = float(np.array(self.getLp().col_cost_) @ self._worst()) + self.getLp().offset_
            return SimpleNamespace(
                objective_function_value=value,
                mip_dual_bound=bound,
                primal_solution_status=status,
                simplex_iteration_count=info.simplex_iteration_count,
            )

    return Lying
