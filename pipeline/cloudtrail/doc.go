// Package cloudtrail reads CloudTrail log files, record by record, in bounded memory, and stands on nothing but the bytes:
// it knows no AWS client, no document format and no daemon.
//
//	reader := cloudtrail.NewReader()
//	reader.Reset(body, &cloudtrail.Object{Bucket: bucket, Key: key, KeyInfo: cloudtrail.ParseKey(key)})
//	for {
//		record, err := reader.Next()
//		…
//	}
//
// A Reader takes the file as CloudTrail writes it ({"Records":[…]}), a bare array, one object (a digest), or one record
// per line; gzip, zstd or plain, told apart by their first bytes. It is tolerant: a record that cannot be read is refused
// with its position while its neighbours go on.
//
// What happens to odd input:
//
//	invalid UTF-8 in a string          each bad byte becomes U+FFFD; Record.Raw is then the repaired text
//	lone surrogate (\ud800)            kept in Value.Raw, U+FFFD in Value.Bytes
//	the same key twice in an object    the last value counts, in the place of the first
//	nesting deeper than MaxDepth       the record is refused
//	a record larger than MaxRecord     the record is refused
//	numbers of any length              kept as text
//	strings of any length              kept, in a window that grows up to twice MaxRecord
//	an element that is not an object   as bytes between records
//	bytes between records              skipped when they are fewer than 16, too few for a record, else refused as one
//	a line that is no object           refused, however short, and with it the lines behind that begin none
//	wrapper objects in an array        read as if each stood alone
//	a byte order mark                  skipped
//	the file ends inside a record      ErrTruncated when it is plain; refused when gzip or zstd vouch for the end
package cloudtrail
