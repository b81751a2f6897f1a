/* datatypes.h - FHIR's datatypes as search knows them; the order is that of
 * tools/compile-definitions.py, which reads it here.  p_: primitive.
 */
#ifndef FHIR_DATATYPES_H
#define FHIR_DATATYPES_H

enum datatype {
    DATATYPE_ADDRESS,
    DATATYPE_AGE,
    DATATYPE_ANNOTATION,
    DATATYPE_ATTACHMENT,
    DATATYPE_CODEABLECONCEPT,
    DATATYPE_CODING,
    DATATYPE_CONTACTPOINT,
    DATATYPE_COUNT,
    DATATYPE_DISTANCE,
    DATATYPE_DURATION,
    DATATYPE_HUMANNAME,
    DATATYPE_IDENTIFIER,
    DATATYPE_MONEY,
    DATATYPE_MONEYQUANTITY,
    DATATYPE_PERIOD,
    DATATYPE_QUANTITY,
    DATATYPE_RANGE,
    DATATYPE_REFERENCE,
    DATATYPE_SAMPLEDDATA,
    DATATYPE_SIMPLEQUANTITY,
    DATATYPE_TIMING,
    DATATYPE_p_boolean,
    DATATYPE_p_canonical,
    DATATYPE_p_code,
    DATATYPE_p_date,
    DATATYPE_p_dateTime,
    DATATYPE_p_decimal,
    DATATYPE_p_id,
    DATATYPE_p_instant,
    DATATYPE_p_integer,
    DATATYPE_p_markdown,
    DATATYPE_p_oid,
    DATATYPE_p_position,
    DATATYPE_p_positiveInt,
    DATATYPE_p_present,
    DATATYPE_p_string,
    DATATYPE_p_time,
    DATATYPE_p_unsignedInt,
    DATATYPE_p_uri,
    DATATYPE_p_url,
    DATATYPE_p_uuid,
    DATATYPE_p_xhtml,
    DATATYPE_CODEABLEREFERENCE,
};

#endif
