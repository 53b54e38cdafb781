// Package zoo holds the modules that are embedded in the program: "vision"
// (EfficientNet-Lite0: picture → features, a grid, scores of 1,000 things),
// "sound" (aiSFX: sound → features), "text" (distilled from MiniLM) and
// "language" (word and state → scores of the next word). The first three meet in
// one space, MiniLM's, in which a text, a picture and a sound of one thing lie
// near each other. Each directory has a CARD.md with data, licence, architecture
// and numbers; zoo/build makes them from published packages.
package zoo
