/* type_class.h - MIME types by what programs do with them.
 *
 * A type here is "type/subtype" in lower case, without parameters.
 */
#ifndef TYPE_CLASS_H
#define TYPE_CLASS_H

#include "common/base/span.h"

/* True if a browser may show the type inside our origin: it cannot contain a
 * script. */
bool type_is_inert(struct span type);

/* True for a document that can contain a script. libmagic recognizes all of
 * these. */
bool type_is_document(struct span type);

/* True if some program would run the type, or a page load it as a script or
 * style sheet, which it can from any address and with any Content-Disposition
 * (WHATWG MIME Sniffing 4.6): JavaScript in all its names, CSS, XSLT, VBScript,
 * HTML components, WebAssembly, Java, Flash and what else a plug-in ran,
 * manifests. Also if it is unknown whether one would: a kind of text that is not
 * listed, or of XML, or a type that is not of a usual kind. */
bool type_is_active(struct span type);

/* True if the bytes of the type are a ZIP archive, or JSON. */
bool type_is_zip(struct span type);
bool type_is_json(struct span type);

#endif
