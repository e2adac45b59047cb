"""Code that runs inside Apache Superset, in the environment of requirements-bi.lock: its settings, access, bootstrap.

Nothing else imports it, since Superset's packages are not those of the pipeline. `warehouse bi` starts it.
"""
