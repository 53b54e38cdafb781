// Package pixels decodes pictures: PNG, JPEG, GIF (the first frame), WebP, BMP,
// TIFF (the first picture) and SVG, told by their content. What EXIF says of a
// JPEG or TIFF turns it upright. Sizes are checked before pixels are decoded,
// so a small file that claims to be a huge picture is refused.
//
// HEIC, AVIF and JPEG XL are named in the error and not read. Their decoders
// without cgo (gen2brain/heic, avif and jpegxl) are C libraries in WebAssembly,
// which would do, but they take whatever libheif, libavif or libjxl the machine
// has in their place, unless the program is built with a tag: the same file
// would give other pixels on another machine, and hostile files would reach C.
package pixels
