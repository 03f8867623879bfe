"""Readers of insights, platforms and recommendations."""

from datetime import timedelta
from decimal import Decimal

from tests.factories import NOW, ContentRecommendationFactory, CrossPlatformMetricFactory, InsightFactory
from tests.fixtures.readers import Read, column

NICHE, OTHER, THIRD = 1, 2, 3


def test_competitor_analysis_gives_what_is_published_most_important_first(read: Read) -> None:
    InsightFactory(niche_id=NICHE, title="unrated", score=None)
    InsightFactory(niche_id=NICHE, title="gap", score=0.5)
    InsightFactory(niche_id=NICHE, title="heatmap", score=0.9, insight_type="competitor_heatmap", lasting=True)
    InsightFactory(niche_id=NICHE, title="draft", draft=True)
    InsightFactory(niche_id=NICHE, title="tomorrow", scheduled=True)
    InsightFactory(niche_id=NICHE, title="expired", expired=True)
    InsightFactory(niche_id=NICHE, title="another kind", insight_type="cross_platform")
    InsightFactory(niche_id=OTHER, title="another niche")
    InsightFactory(general=True, title="all niches")
    assert column(read("competitor_analysis", niche_id=NICHE), "title") == ["heatmap", "gap", "unrated"]
    gaps = read("competitor_analysis", niche_id=NICHE, insight_type="gap_analysis")
    assert column(gaps, "title") == ["gap", "unrated"]
    assert column(read("competitor_analysis", niche_id=NICHE, max_rows=2), "title") == ["heatmap", "gap"]
    gap = read("competitor_analysis", niche_id=NICHE, insight_type="gap_analysis", max_rows=1)
    assert column(gap, "title") == ["gap"]
    assert read("competitor_analysis", niche_id=NICHE, insight_type="cross_platform") == []


def test_cross_platform_gives_the_newest_metrics_and_each_platform_s_share(read: Read) -> None:
    audience = {"age": {"18-24": 1}, "gender": {"female": 0.5, "male": 0.5}}
    CrossPlatformMetricFactory(niche_id=NICHE, platform="tiktok", demand_score=0.9, yesterday=True)
    CrossPlatformMetricFactory(niche_id=NICHE, platform="tiktok", demand_score=0.2, growth_rate=-0.5)
    CrossPlatformMetricFactory(niche_id=NICHE, demand_score=0.6, audience_demographics=audience)
    CrossPlatformMetricFactory(niche_id=OTHER, platform="instagram")
    youtube, tiktok = read("cross_platform", niche_id=NICHE)
    assert (youtube["platform"], youtube["demand_share"], youtube["demand_rank"]) == ("youtube", Decimal("0.75"), 1)
    assert youtube["audience_demographics"] == audience
    assert (tiktok["platform"], tiktok["demand_share"], tiktok["demand_rank"]) == ("tiktok", Decimal("0.25"), 2)
    assert (tiktok["metric_date"], tiktok["growth_rate"]) == (NOW.date(), Decimal("-0.5"))
    assert column(read("cross_platform", niche_id=NICHE, platform="tiktok"), "platform") == ["tiktok"]


def test_cross_platform_gives_the_insights_of_the_platform_and_of_all(read: Read) -> None:
    for niche, platform in ((NICHE, "youtube"), (NICHE, "tiktok"), (OTHER, "youtube")):
        CrossPlatformMetricFactory(niche_id=niche, platform=platform)
    found = {"niche_id": NICHE, "insight_type": "cross_platform"}
    InsightFactory(**found, title="everywhere", score=0.1, insight_data={"what": "this"})
    InsightFactory(**found, title="on youtube", score=0.9, platform="youtube")
    InsightFactory(**found, title="draft", draft=True)
    InsightFactory(**found, title="expired", expired=True)
    InsightFactory(niche_id=NICHE, title="another kind")
    insights = {row["platform"]: row["insights"] for row in read("cross_platform", niche_id=NICHE)}
    everywhere = {"title": "everywhere", "score": 0.1, "platform": None, "data": {"what": "this"}}
    assert [insight["title"] for insight in insights["youtube"]] == ["on youtube", "everywhere"]
    assert insights["tiktok"] == [everywhere]
    assert column(read("cross_platform", niche_id=OTHER), "insights") == [[]]


def test_cross_platform_gives_the_best_20_insights(read: Read) -> None:
    CrossPlatformMetricFactory(niche_id=NICHE)
    for percent in range(22):
        InsightFactory(niche_id=NICHE, insight_type="cross_platform", score=percent / 100)
    (row,) = read("cross_platform", niche_id=NICHE)
    assert [insight["score"] for insight in row["insights"]] == [percent / 100 for percent in range(21, 1, -1)]


def test_content_recommendations_gives_the_best_five_for_everybody_and_for_the_user(read: Read) -> None:
    general = [f"general {tenths}" for tenths in (7, 6, 5, 4, 3, 2, 1)]
    for title in reversed(general):
        ContentRecommendationFactory(niche_id=NICHE, title=title, opportunity_score=int(title[-1]) / 10)
    ContentRecommendationFactory(niche_id=NICHE, title="mine too", opportunity_score=0.05, user_id="me")
    ContentRecommendationFactory(niche_id=NICHE, title="mine", opportunity_score=0.65, user_id="me")
    ContentRecommendationFactory(niche_id=NICHE, title="hers", opportunity_score=0.95, user_id="she")
    ContentRecommendationFactory(niche_id=NICHE, title="expired", opportunity_score=0.99, expired=True)
    ContentRecommendationFactory(niche_id=NICHE, title="mine once", opportunity_score=1, expired=True, user_id="me")
    ContentRecommendationFactory(niche_id=OTHER, opportunity_score=1)
    assert column(read("content_recommendations", niche_id=NICHE), "title") == general[:5]
    mine = read("content_recommendations", niche_id=NICHE, user_id="me")
    assert column(mine, "title") == ["general 7", "mine", *general[1:4]]
    assert (mine[1]["keywords"], mine[1]["competition_level"]) == (["how to", "beginner"], "low")
    two = read("content_recommendations", niche_id=NICHE, user_id="me", max_rows=2)
    assert column(two, "title") == ["general 7", "mine"]
    assert column(read("content_recommendations", niche_id=NICHE, max_rows=9), "title") == general
    assert read("content_recommendations", niche_id=THIRD) == []


def test_the_best_of_a_user_s_own_comes_first(read: Read) -> None:
    for title, score in (("fair", 0.5), ("best", 0.9), ("poor", 0.1)):
        ContentRecommendationFactory(niche_id=NICHE, title=title, opportunity_score=score, user_id="me")
    assert column(read("content_recommendations", niche_id=NICHE, user_id="me", max_rows=1), "title") == ["best"]


def test_of_equal_recommendations_the_newest_comes_first(read: Read) -> None:
    for title in ("older", "newer"):
        ContentRecommendationFactory(niche_id=NICHE, title=title, opportunity_score=0.5)
    assert column(read("content_recommendations", niche_id=NICHE), "title") == ["newer", "older"]


def test_a_recommendation_is_active_until_its_last_second(read: Read) -> None:
    ContentRecommendationFactory(niche_id=NICHE, valid_until=NOW - timedelta(seconds=1))
    assert read("content_recommendations", niche_id=NICHE) == []
