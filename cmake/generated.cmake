# What is made at build time: FHIR tables from definitions/, embedded files.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(generated ${CMAKE_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${generated})

# embed(room name files...) - adds a table of files to a room.
function(embed room name)
  add_custom_command(
    OUTPUT ${generated}/${name}.c
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/embed.py
            ${name} ${generated}/${name}.c ${ARGN}
    DEPENDS ${ARGN} ${CMAKE_SOURCE_DIR}/tools/embed.py
    VERBATIM)
  set(${room}_generated ${${room}_generated} ${generated}/${name}.c PARENT_SCOPE)
endfunction()

file(GLOB migrations CONFIGURE_DEPENDS src/db/migrations/*.sql)
embed(db db_migrations ${migrations})

file(GLOB dictionaries CONFIGURE_DEPENDS definitions/dictionary/*.dict)
embed(store store_dictionaries ${dictionaries})

file(GLOB definitions CONFIGURE_DEPENDS definitions/*/*.tsv)
add_custom_command(
  OUTPUT ${generated}/fhir_tables.c
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/compile-definitions.py
          ${CMAKE_SOURCE_DIR}/definitions ${generated}/fhir_tables.c
  DEPENDS ${definitions} ${CMAKE_SOURCE_DIR}/tools/compile-definitions.py
          ${CMAKE_SOURCE_DIR}/src/fhir/datatypes.h
  VERBATIM)
add_custom_command(
  OUTPUT ${generated}/fhir_summary.c
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/compile-summary.py
          ${CMAKE_SOURCE_DIR}/definitions ${generated}/fhir_summary.c
  DEPENDS ${definitions} ${CMAKE_SOURCE_DIR}/tools/compile-summary.py
  VERBATIM)
add_custom_command(
  OUTPUT ${generated}/fhir_code_sets.c
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/compile-code-sets.py
          ${CMAKE_SOURCE_DIR}/definitions ${generated}/fhir_code_sets.c
  DEPENDS ${definitions} ${CMAKE_SOURCE_DIR}/tools/compile-code-sets.py
  VERBATIM)
set(fhir_generated ${generated}/fhir_tables.c ${generated}/fhir_summary.c
    ${generated}/fhir_code_sets.c)

add_custom_command(
  OUTPUT ${generated}/patch_shape.c
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/compile-shape.py
          ${CMAKE_SOURCE_DIR}/definitions ${generated}/patch_shape.c
  DEPENDS ${definitions} ${CMAKE_SOURCE_DIR}/tools/compile-shape.py
  VERBATIM)
set(patch_generated ${generated}/patch_shape.c)

add_custom_command(
  OUTPUT ${generated}/validate_structures.c
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/compile-structures.py
          ${CMAKE_SOURCE_DIR}/definitions ${generated}/validate_structures.c
  DEPENDS ${definitions} ${CMAKE_SOURCE_DIR}/tools/compile-structures.py
  VERBATIM)
set(validate_generated ${generated}/validate_structures.c)

file(GLOB assets CONFIGURE_DEPENDS src/ui/assets/*)
embed(ui ui_assets ${assets})
