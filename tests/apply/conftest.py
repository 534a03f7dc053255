from tests.plan.conftest import project

__all__ = ["project"]
