// Package picture reads pictures and makes model inputs of them.
//
// [Load] and [Decode] read PNG, JPEG (with its EXIF orientation), GIF (the
// first frame), WebP, BMP, TIFF and SVG; the format is told by the content, not by the
// name. Sizes are checked before pixels are decoded, so a small file that
// claims to be a huge picture is refused.
//
// A [Spec], the `image:` part of a module's manifest, says how a picture
// becomes a tensor; [Spec.Prepare] does it. Antialiased resizing follows
// Pillow's kernels (bilinear is the triangle, bicubic has a = -0.5, lanczos
// three lobes), so results agree with torchvision's and Hugging Face's image
// processors to about one grey level. It is done here because
// golang.org/x/image/draw rounds down (half a grey level darker on average)
// and cannot sample without antialiasing, as OpenCV does. JPEG decoding
// differs by about a grey level, too, since Go upsamples colour by repetition.
package picture
