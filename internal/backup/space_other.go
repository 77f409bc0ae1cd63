//go:build !(linux || darwin || freebsd)

package backup

func free(string) (int64, bool) { return 0, false }

func sameDisk(string, string) bool { return false }
