"""GraphQL, which MLflow's page asks and nothing else does."""

from script import Corpus, Script

CORPUS = Corpus("graphql")


@CORPUS.scenario()
def queries(s: Script) -> None:
    s.experiment()
    s.run()
    s.post("run", "/graphql", {"operationName": "GetRun", "query": "query GetRun($d: MlflowGetRunInput!) { mlflowGetRun(input: $d) { apiError { code message } run { info { runName status } } } }", "variables": {"d": {"runId": "{run}"}}})
    s.post("unknown run", "/graphql", {"operationName": "GetRun", "query": "query GetRun($d: MlflowGetRunInput!) { mlflowGetRun(input: $d) { apiError { code message } run { info { runName } } } }", "variables": {"d": {"runId": "nope"}}})
    s.post("experiment", "/graphql", {"query": "query { mlflowGetExperiment(input: {experimentId: \"{exp}\"}) { experiment { name } } }"})
    s.post("component", "/graphql", {"query": "query A($d: MlflowGetRunInput!) @component(name: \"MLflow.Run\") { mlflowGetRun(input: $d) { run { info { runName } } } }", "variables": {"d": {"runId": "{run}"}}})
    s.post("component twice", "/graphql", {"query": "query A @component(name: \"a\") @component(name: \"b\") { mlflowGetExperiment(input: {experimentId: \"{exp}\"}) { experiment { name } } }"})
    s.post("component without name", "/graphql", {"query": "query A @component { mlflowGetExperiment(input: {experimentId: \"{exp}\"}) { experiment { name } } }"})
    s.post("no query", "/graphql", {})
    s.get("get", "/graphql")
