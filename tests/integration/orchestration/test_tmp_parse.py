import psycopg, pytest
from tests.integration.orchestration.test_documented_questions import queries
@pytest.mark.models
def test_parse(pipeline):
    bad=[]
    c=pipeline.connection
    c.execute("set search_path=marts")
    for t,qs in queries().items():
        for q in qs:
            try: c.execute(q)
            except Exception as e: bad.append((t,str(e)[:300]))
    assert bad==[]
