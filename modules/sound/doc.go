// Package sound makes model inputs of sounds.
//
// [Load] and [Decode] read WAV, Ogg Vorbis, MP3 and FLAC into a [Clip]. A
// [Spec], the `sound:` part of a module's manifest, says how a clip becomes a
// tensor: the waveform itself, or log-mel frames in the conventions of
// librosa (Slaney) or HTK. Equations and published values are beside the code
// and in the tests.
package sound
