// Package archive unpacks downloaded packages safely: Debian packages
// (.deb), tarballs (.tar, .tar.gz, .tgz, .tar.xz, .tar.zst), zip files and Qt
// resource bundles (.rcc).
//
// The kind is told by the first bytes, never by the name. Every kind goes
// through the same door: names must stay inside the destination (checked by
// name and again by [os.Root], so that not even a link already on the disk
// leads out), links and devices are never created, and the number of files,
// the size of each and their sum are bounded by [Limits], counted on the
// bytes that come out rather than on what headers promise.
//
//	report, err := archive.Extract(ctx, "pkg.deb", dir, archive.Options{})
//
// [ExtractAtomic] unpacks beside the destination and renames, so that the
// destination either is complete or does not exist.
package archive
