//go:build service

package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// maxExposure is the worst score of systemd-analyze security that the unit may have.
const maxExposure = 2.0

// TestUnit asks systemd what it thinks of the unit.
func TestUnit(t *testing.T) {
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Fatal("systemd-analyze is missing: run this with test/run --only service, which installs it")
	}
	text, err := os.ReadFile("systemd/trailship.service")
	if err != nil {
		t.Fatal(err)
	}
	// verify wants the program to be there.
	unit := filepath.Join(t.TempDir(), "trailship.service")
	if err := os.WriteFile(unit, []byte(strings.Replace(string(text), "/usr/local/bin/trailship", "/bin/true", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), tool, "verify", unit).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), tool, "security", "--offline=true", "--no-pager", unit).CombinedOutput()
	if err != nil {
		t.Fatalf("systemd-analyze security: %v\n%s", err, out)
	}
	score := regexp.MustCompile(`exposure level for \S+: ([0-9.]+)`).FindSubmatch(out)
	if score == nil {
		t.Fatalf("systemd-analyze security gives no score:\n%s", out)
	}
	if got, err := strconv.ParseFloat(string(score[1]), 64); err != nil || got > maxExposure {
		t.Errorf("got exposure %s, want at most %v:\n%s", score[1], maxExposure, out)
	}
}
