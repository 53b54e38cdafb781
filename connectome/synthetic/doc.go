// Package synthetic makes the connectome that comes with wire, so that
// everything runs without a download: 82 regions (the 68 cortical parcels of
// the Desikan–Killiany atlas and seven subcortical nuclei a side) and the
// tracts a documented rule puts between them.
//
// It is not a measurement. It resembles group connectomes of the human brain
// in density, strengths, clustering and small-worldness, which a test checks,
// but no single tract in it is evidence of anything, and every connectome made
// here has Synthetic set. Use `wire connectome pull` for measured ones.
//
// # The rule
//
// Regions stand at approximate centroids, given in mm of MNI space to the
// nearest 2 mm and mirrored between the hemispheres. The number of
// streamlines between regions i and j falls off exponentially with the way
// between them, as retrograde tracing in the macaque shows (Ercsey-Ravasz et
// al. 2013, Neuron 80:184), in proportion to the sizes of both:
//
//	log n_ij = log s_i + log s_j − d_ij/λ + h·[i and j are homotopic] + σ·ε_ij
//
// Sizes s make the hubs: superior frontal, superior parietal, precuneus and
// insular cortex, thalamus and putamen (van den Heuvel & Sporns 2011, J
// Neurosci 31:15775). The way d between the hemispheres leads through the
// corpus callosum at the midline, and homotopic regions are favoured (Shen
// et al. 2015, J Neurosci 35:5579). Half of the variance of the noise ε is shared
// between a pair and its mirror image. The strongest pairs are kept up to the
// wanted density, and every region keeps its strongest tract. Weights are
// log n plus a second noise, since how many streamlines a tractography finds
// and whether it finds any are two things, shifted so that the median is about
// 7 (1,100 streamlines): the form in which the ENIGMA toolbox publishes its
// group matrices. A tract's length is its way times 1.15, since fibres bend.
package synthetic
