// Package metrics measures connectomes: the facts a report begins with
// ([Facts]), and the graph measures a paper prints (degree and strength,
// clustering, path length, modularity, rich club, small-worldness,
// efficiency, spectral radius).
//
// Every measure says in its comment whether it looks at directions and
// weights, which paper defines it, and what it does with self-loops
// (everything but [Facts] ignores them), negative weights and isolated
// regions. Matrices are read as row = source, column = target. Measures that
// need random numbers take a seed and give the same result for the same seed.
package metrics
