// Package filter decides by Amazon EventBridge event patterns which records are left out. A pattern stands over the
// record as CloudTrail wrote it, without EventBridge's envelope around it:
//
//	{"eventSource": ["kms.amazonaws.com"], "eventName": ["Decrypt", {"prefix": "Describe"}]}
//
// Patterns mean what AWS's documentation says. Sources: Amazon EventBridge User Guide, "Amazon EventBridge event
// patterns", "Comparison operators for use in event patterns", "Null values and empty strings in event patterns" and
// "Arrays in event patterns"; where those are silent, the README of AWS's own matcher, event-ruler.
//
// Every field of a pattern must match, and a field matches when one of its values does. Of an array in the record one
// element must match; of an array of objects one element must match all that the pattern says of it. A pattern that only
// says what must not be there asks that of all elements. Exact numbers are compared as text (300 is not 3.0e2), numeric
// as numbers from -5e9 to 5e9. exists knows leaves only: an object, an empty array and a field that is not there are the
// same to it, null and "" are there.
//
// A pattern is compiled once. Matching works on the views of a record and allocates nothing.
package filter
