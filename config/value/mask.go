package value

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
)

// Mask hides the user and password of every URL in text, so that https://user:pass@host/ reads https://<secret>@host/.
// Whatever shows a URL that a person wrote passes through it: errors, logs, status, the printed configuration.
func Mask(text string) string {
	const scheme = ":/" // a second slash may be missing where the message is about just that
	var out strings.Builder
	for {
		i := strings.Index(text, scheme)
		if i < 0 {
			break
		}
		for i += len(scheme); i < len(text) && text[i] == '/'; i++ {
		}
		out.WriteString(text[:i])
		text = text[i:]
		authority := text
		if end := strings.IndexAny(text, "/?#\"'` \t\r\n,"); end >= 0 {
			authority = text[:end]
		}
		// A password that someone forgot to escape may itself hold a slash or a quote: then the @ stands behind them.
		if at := lastAt(text, len(authority)); at >= 0 {
			out.WriteString("<secret>")
			text = text[at:]
		}
	}
	out.WriteString(text)
	return out.String()
}

// lastAt finds the @ that ends the user information of the authority that text begins with, -1 when there is none.
// Behind the authority it still counts when a colon stood in it and no white space comes between: user:pa/ss@host.
func lastAt(text string, authority int) int {
	if at := strings.LastIndexByte(text[:authority], '@'); at >= 0 {
		return at
	}
	colon := strings.IndexByte(text[:authority], ':')
	if colon < 0 || port(text[colon+1:authority]) {
		return -1
	}
	word := text
	if end := strings.IndexAny(text, " \t\r\n"); end >= 0 {
		word = text[:end]
	}
	return strings.LastIndexByte(word, '@')
}

func port(s string) bool {
	return len(s) <= 5 && strings.Trim(s, "0123456789") == ""
}

// maxSecret is the largest secret file that is read: a longer one is some other file.
const maxSecret = 64 << 10

// ReadSecret reads a secret from a file, without the line end that editors leave. A file that cannot be read, or that holds
// nothing or far too much, is an error that says what to do.
func ReadSecret(path string) (Secret, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("%w; give a file that the daemon may read", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("%w; give a file that the daemon may read", err)
	}
	text = bytes.TrimRight(text, "\r\n")
	if len(text) == 0 {
		return "", fmt.Errorf("the file %s is empty; write the secret into it", path)
	}
	if len(text) > maxSecret {
		return "", fmt.Errorf("the file %s is larger than any secret; give the file that holds nothing else", path)
	}
	return Secret(text), nil
}
