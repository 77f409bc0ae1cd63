// Package backup makes an archive of everything that an installation has, and
// proves of an archive that everything in it can be brought back.
//
// An archive is one file: a tar in a zstd frame (RFC 8878), and after it a
// skippable frame with the SHA-256 of all bytes before, so that every byte counts
// and any zstd and tar still read it. With recipients, all of that is encrypted
// with age. docs/backup.md has the format. Its parts, in this order:
//
//	manifest.json       a Manifest: what else is in it, with sizes and hashes
//	manifest.mac        a MAC of these bytes under the key of the installation
//	checkpoint          a signed head of the audit log, from before the copy began
//	backoffice.db       the data file, as it was at one moment
//	audit-archive/…     the archive files of the audit log that its records name
//
// The key file is never in it.
//
// A [Maker] makes archives, [Check] rehearses a restore into a directory, and a
// [Service] makes them on a schedule and keeps count. What a data file is made of
// is the engine's business: see [Engine].
//
// Records, by store key:
//
//	backup/log    the last backups that the running program made, oldest first, as JSON
package backup
