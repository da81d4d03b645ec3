"""How the service is put together: one module builds each concern, `monitor.service` ties them.

`ground` is what everybody stands on; `built_in` the rules evaluated here with their samples;
`watch` the journeys of one location; `outward` what leaves by itself and who watches that it does;
`duties` what is done again and again; `measuring` what is measured of all of it; `doors` the web.
"""
