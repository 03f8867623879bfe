"""Phase 1's programs as they run in production: they know seven columns, and nothing of Phase 2."""

from itertools import count

from sqlalchemy import Connection, Engine, text

from operations import phase1
from operations.phase1 import Shape

COLUMNS = ("niche_id", "phrase", "demand_score", "monetise_score", "supply_score", "opportunity", "updated_at")

_numbers = count(1)


def run_all(engine: Engine, shape: Shape) -> None:
    with engine.begin() as connection:
        scorer(connection, shape)
    with engine.begin() as connection:
        seeder(connection, shape)
    with engine.begin() as connection:
        api(connection)


def scorer(connection: Connection, shape: Shape) -> None:
    """The nightly scorer: score all niches, refresh, read the top five; one transaction."""
    phase1.score(connection, shape)
    top = connection.exec_driver_sql(
        "SELECT phrase, opportunity FROM hot_niches_today ORDER BY opportunity DESC LIMIT 5"
    ).all()
    best = connection.exec_driver_sql(
        "SELECT phrase, opportunity FROM features WHERE opportunity IS NOT NULL ORDER BY opportunity DESC LIMIT 5"
    ).all()
    assert [row.opportunity for row in top] == [row.opportunity for row in best]


def seeder(connection: Connection, shape: Shape) -> None:
    """Adds niches and skips phrases that exist; then the same refresh."""
    phrases = [f"seeded {next(_numbers)}", "seeded 0"]
    for phrase in phrases:
        if connection.execute(text("SELECT 1 FROM features WHERE phrase = :phrase"), {"phrase": phrase}).first():
            continue
        connection.execute(
            text(
                "INSERT INTO features (phrase, demand_score, monetise_score, supply_score, opportunity)"
                " VALUES (:phrase, 0.9, 0.9, 0.1, 8.1)"
            ),
            {"phrase": phrase},
        )
    phase1.refresh(connection, shape)
    hot = connection.exec_driver_sql("SELECT phrase FROM hot_niches_today WHERE opportunity = 8.1").scalars().all()
    assert set(phrases) <= set(hot)


def api(connection: Connection) -> None:
    """The API's repository: the hot niches, a new niche, its three scores, the niche again."""
    hot = connection.exec_driver_sql("SELECT * FROM hot_niches_today ORDER BY opportunity DESC").mappings().all()
    assert tuple(hot[0])[:7] == COLUMNS
    assert len(hot) == min(50, connection.exec_driver_sql("SELECT count(*) FROM features").scalar_one())
    niche_id = connection.execute(
        text(
            "INSERT INTO features (phrase, demand_score, monetise_score, supply_score)"
            " VALUES (:phrase, 0.5, 0.5, 0.5) RETURNING niche_id"
        ),
        {"phrase": f"from the API {next(_numbers)}"},
    ).scalar_one()
    connection.execute(
        text(
            "UPDATE features SET demand_score = :demand, monetise_score = :monetise, supply_score = :supply,"
            " updated_at = now() WHERE niche_id = :niche_id"
        ),
        {"demand": 0.25, "monetise": 0.5, "supply": 0.75, "niche_id": niche_id},
    )
    niche = connection.execute(
        text("SELECT * FROM features WHERE niche_id = :niche_id"), {"niche_id": niche_id}
    ).mappings()
    row = niche.one()
    assert tuple(row)[:7] == COLUMNS
    assert (float(row["demand_score"]), float(row["supply_score"]), row["opportunity"]) == (0.25, 0.75, None)
