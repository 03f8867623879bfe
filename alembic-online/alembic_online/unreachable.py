"""What to do where there is no connection, by what libpq says of it."""

import re
import shlex

from sqlalchemy import URL


def next_step(url: URL, reason: str) -> str:
    """How whoever reads this reason gets a connection."""
    if "password" in reason or "authentication" in reason:
        return "give the right user and password in the database URL (@ in a password is written %40, / is %2F, …)."
    if "SSL" in reason or "certificate" in reason or "no encryption" in reason:
        return "correct sslmode, sslrootcert or sslcert after ? in the database URL; the server's log says more."
    if "no pg_hba.conf entry" in reason or "pg_hba.conf rejects" in reason:
        return "have pg_hba.conf let this role reach this database from here, or connect as one that it lets in."
    if missing := re.search(r'database "(.+)" does not exist', reason):
        if url.database is None:
            return f"add the database's name to the database URL: …/name; without one it is the user's, {missing[1]}."
        return f"create it (createdb {shlex.quote(missing[1])}), or correct the name in the database URL."
    if re.search(r'role ".+" does not exist', reason):
        return "correct the user in the database URL, or have the role created."
    if "too many connections" in reason or "remaining connection slots" in reason or "too many clients" in reason:
        return "end sessions that nobody needs, or raise max_connections (or the role's, the database's limit)."
    if "starting up" in reason or "shutting down" in reason or "recovery mode" in reason:
        return "wait until the server has started, and run it again."
    if "unsupported startup parameter" in reason:
        return "drop the parameter after ? in the database URL, which this pooler does not pass on."
    if any(part in reason for part in ("invalid connection option", "URI query", "permission denied to set parameter")):
        return "correct the parameters after ? in the database URL, and PGOPTIONS where that is set."
    return "see that the server runs and can be reached from here, and that the database URL names its host and port."
