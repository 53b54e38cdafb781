// Package pixels decodes pictures: PNG, JPEG, GIF (the first frame), WebP, BMP,
// TIFF (the first picture) and SVG, told by their content. What EXIF says of a
// JPEG or TIFF turns it upright. Sizes are checked before pixels are decoded,
// so a small file that claims to be a huge picture is refused.
//
// HEIC, AVIF and JPEG XL are named in the error and not read: their decoders
// without cgo are whole C libraries compiled to WebAssembly, megabytes of each
// binary.
package pixels
