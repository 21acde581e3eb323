package source

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // one of S3's checksums
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
)

var errChecksum = errors.New("the object's bytes do not have the checksum that S3 keeps for it")

// checksum is one of the checksums that S3 may keep with an object. Source: Amazon S3 User Guide, "Checking object integrity
// for data uploads in Amazon S3"; NVM Express NVM Command Set Specification for CRC-64/NVME.
type checksum struct {
	header string
	make   func() hash.Hash
}

// checksums are those that are looked at, the quickest first. The polynomial of CRC-64/NVME is written with its bits turned
// around, as hash/crc64 wants it.
func checksums() []checksum {
	const nvme = 0x9a6c9329ac4bc9b5
	return []checksum{
		{"X-Amz-Checksum-Crc32", func() hash.Hash { return crc32.NewIEEE() }},
		{"X-Amz-Checksum-Crc32c", func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) }},
		{"X-Amz-Checksum-Crc64nvme", func() hash.Hash { return crc64.New(crc64.MakeTable(nvme)) }},
		{"X-Amz-Checksum-Sha1", sha1.New},
		{"X-Amz-Checksum-Sha256", sha256.New},
	}
}

// checkBody returns the body of S3's answer, which is an error at its end where it does not have the checksum that the
// answer names. A checksum of checksums, as multipart uploads have it ("…-3"), is no checksum of the bytes.
func checkBody(res *http.Response) io.ReadCloser {
	for _, c := range checksums() {
		text := res.Header.Get(c.header)
		if text == "" {
			continue
		}
		sum := c.make()
		if want, err := base64.StdEncoding.DecodeString(text); err == nil && len(want) == sum.Size() {
			return &checkedBody{res.Body, sum, want}
		}
	}
	return res.Body
}

type checkedBody struct {
	io.ReadCloser
	sum  hash.Hash
	want []byte
}

func (b *checkedBody) Read(p []byte) (n int, err error) {
	n, err = b.ReadCloser.Read(p)
	_, _ = b.sum.Write(p[:n]) // it has no error
	if err == io.EOF && !bytes.Equal(b.sum.Sum(nil), b.want) {
		err = errChecksum
	}
	return n, err
}
