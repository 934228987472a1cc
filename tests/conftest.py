"""What every run of the tests does beside them: it follows the features from clause to number to result."""

from tests.trace.plugin import (  # noqa: F401
    pytest_addoption,
    pytest_bdd_after_scenario,
    pytest_bdd_after_step,
    pytest_bdd_before_scenario,
    pytest_bdd_before_step_call,
    pytest_configure,
)
