// Package samples holds sample CloudTrail log files: real ones of a test account, and a few console logins. Their origin and
// licences stand beside them. Tests read the files from the folder; the demo carries them in the binary.
package samples

import (
	"embed"
	"io/fs"
)

//go:embed invictus/*.json.gz logins/*.json.gz
var files embed.FS

// Files are the sample files, in one folder for each origin.
func Files() fs.FS { return files }
