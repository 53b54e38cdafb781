graph [
  directed 1
  node [
    id 0
    label "lh.one"
    x -10.0
    y 0.0
    z 5.5
  ]
  node [
    id 1
    label "lh two"
    x -20.0
    y 1.0
    z 6.0
  ]
  node [
    id 2
    label "rh,three"
    x 10.0
    y 0.0
    z 7.0
  ]
  node [
    id 3
    label "rhFour"
    x 20.0
    y 1.0
    z 8.0
  ]
  node [
    id 4
    label "stem"
    x 0.0
    y -30.0
    z -20.25
  ]
  edge [
    source 0
    target 1
    weight 1.5
    length 11.0
  ]
  edge [
    source 0
    target 4
    weight 2.0
    length 14.0
  ]
  edge [
    source 1
    target 2
    weight -0.25
    length 17.0
  ]
  edge [
    source 1
    target 3
    weight 3.0
    length 18.0
  ]
  edge [
    source 2
    target 0
    weight 4.0
    length 20.0
  ]
  edge [
    source 2
    target 2
    weight 7.0
    length 22.0
  ]
  edge [
    source 3
    target 2
    weight 0.125
    length 27.0
  ]
  edge [
    source 3
    target 4
    weight 1.0
    length 29.0
  ]
  edge [
    source 4
    target 0
    weight 1.0
    length 30.0
  ]
]
