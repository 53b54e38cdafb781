// Package strangers makes what no answer fits: pictures of noise, blocks,
// stripes, one colour, scribbled lines; sounds of noise, silence, tones, clicks;
// texts of chance letters. A plan that is shown them learns when to doubt
// ("outlier exposure", Hendrycks, Mazeika & Dietterich 2019); so can be measured
// whether it does. The same seed gives the same ones.
package strangers
