"""What is watched: a request leaves a span, a thumb and a correction find it again."""

from contextlib import closing

from aicourse import Fault
from aicourse.monitoring import open_metrics, start_tracing

from repair_desk.product import answer, correct, thumb


def test_a_request_its_thumb_and_its_correction_are_kept(scripted_model, tmp_path):
    scripted_model.enqueue("textiles")
    path = tmp_path / "product.sqlite"
    with start_tracing(path):
        answered = answer(scripted_model.client(), "The shade of my lamp is torn", client_version="web 1.0")
    with closing(open_metrics(path)) as store:
        thumb(store, answered, up=False, by="volunteer 3", text="wrong desk")
        correct(store, answered, "electronics", by="volunteer 3")
        rows = store.execute("SELECT kind, thumb, proposed, published FROM feedback ORDER BY kind").fetchall()
        spans = store.execute("SELECT name FROM spans WHERE name = 'propose'").fetchall()
    assert len(spans) == 1
    assert [tuple(row) for row in rows] == [
        ("explicit", -1, None, None),
        ("implicit", None, '"textiles"', '"electronics"'),
    ]


def test_when_the_provider_fails_a_person_sorts(scripted_model, tmp_path):
    scripted_model.enqueue(Fault(status=503))
    path = tmp_path / "product.sqlite"
    with start_tracing(path):
        answered = answer(scripted_model.client(max_retries=0), "A torn coat", client_version="web 1.0")
    with closing(open_metrics(path)) as store:
        valid = store.execute("SELECT valid FROM spans WHERE name = 'propose'").fetchall()
    assert answered.desk == "person"
    assert [row[0] for row in valid] == [0]
